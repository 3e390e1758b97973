import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { ClusterDns } from './cluster-dns.ts'
import { readQuestion, writeAnswer } from './dns-message.ts'

/** A server that knows one address for every name; it counts what it is asked. */
async function startServer(): Promise<{ at: string; asked: string[] } & Disposable> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, { address, port }) => {
    const question = readQuestion(message)!
    asked.push(question.name)
    socket.send(writeAnswer(question, '203.0.113.5'), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const at = `127.0.0.1:${socket.address().port}`
  return { at, asked, [Symbol.dispose]: () => void socket.close() }
}

/** An address of this machine that nobody else uses: a port that is free there stays so. */
const address = '127.0.0.3'

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

const skip = process.platform !== 'linux'

test('names of the cluster lead to the gateway, all others where the machine asks', { skip }, async () => {
  using upstream = await startServer()
  const port = await freePort()
  let isAllowed = true
  await using dns = new ClusterDns({
    clock: systemClock,
    log: silentLogger,
    address,
    port,
    mayUse: async () => isAllowed,
    servers: () => [upstream.at],
  })
  await dns.listen(AbortSignal.abort())
  const resolver = new Resolver({ timeout: 300_000, tries: 1 })
  resolver.setServers([`${address}:${port}`])
  assert.deepEqual(await resolver.resolve4('cart.shop.svc.cluster.local'), [address])
  assert.deepEqual(await resolver.resolve4('Cart.shop.svc'), [address])
  await assert.rejects(resolver.resolve6('cart.shop.svc.cluster.local'), { code: 'ENODATA' })
  assert.deepEqual(upstream.asked, [])
  for (const other of ['example.com', 'a.b.c.svc.cluster.local', 'svc.cluster.local']) {
    assert.deepEqual(await resolver.resolve4(other), ['203.0.113.5'], other)
  }
  assert.deepEqual(upstream.asked, ['example.com', 'a.b.c.svc.cluster.local', 'svc.cluster.local'])
  isAllowed = false
  const impatient = new Resolver({ timeout: 50, tries: 1 })
  impatient.setServers([`${address}:${port}`])
  await assert.rejects(impatient.resolve4('cart.shop.svc'), { code: 'ETIMEOUT' })
})

test('what is no question is read as none, wherever it is cut', () => {
  const name = Buffer.from('\x04cart\x04shop\x03svc\0')
  const query = Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), name, Buffer.from([0, 1, 0, 1])])
  assert.deepEqual(readQuestion(query), { id: 7, name: 'cart.shop.svc', type: 1, bytes: query.subarray(12) })
  for (let bytes = 0; bytes < query.byteLength; bytes++) assert.equal(readQuestion(query.subarray(0, bytes)), undefined)
  const response = Buffer.from(query)
  response[2] = 0x81
  assert.equal(readQuestion(response), undefined)
  const pointing = Buffer.from(query)
  pointing[12] = 0xc0
  assert.equal(readQuestion(pointing), undefined)
})
