import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { PortPool } from './port-pool.ts'

const skip = process.platform !== 'linux'

test('two Knodes never give out one port, though no program listens there yet', { skip }, async () => {
  const [one, other] = [new PortPool(seededRandom(process.pid)), new PortPool(seededRandom(1))]
  const ports = await Promise.all([one.take(), other.take(), one.take(), other.take()])
  assert.equal(new Set(ports).size, 4)
  for (const [at, pool] of [one, other, one, other].entries()) pool.release(ports[at]!)
})

test('a port that was given back, or whose holder is gone, is given out again', { skip }, async () => {
  const first = new PortPool(seededRandom(process.pid))
  const port = await first.take()
  first.release(port)
  const second = new PortPool(seededRandom(process.pid))
  assert.equal(await second.take(), port)
  second.release(port)
})

test('a port that somebody listens on is not given out', async () => {
  const pool = new PortPool(seededRandom(process.pid))
  const port = await pool.take()
  pool.release(port)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const next = new PortPool(seededRandom(process.pid))
  const taken = await next.take()
  assert.notEqual(taken, port)
  next.release(taken)
  server.close()
})
