// A server that listens hears of every error.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startListening } from './start-listening.ts'

const where = { host: '127.0.0.1', port: 0 }

test('errors of a server that listens are told, each of them, and end nothing', async () => {
  const server = createServer()
  const told: string[] = []
  await startListening(server, where, ({ message }) => told.push(message))
  for (const message of ['accept ENFILE', 'accept ECONNABORTED', 'accept ENFILE']) {
    server.emit('error', new Error(message))
  }
  assert.deepEqual(told, ['accept ENFILE', 'accept ECONNABORTED', 'accept ENFILE'])
  server.close()
  await once(server, 'close')
})

test('a server that cannot listen says why, to the caller alone', async () => {
  const taken = createServer()
  const unexpected = (error: Error): never => assert.fail(error)
  await startListening(taken, where, unexpected)
  const { port } = taken.address() as AddressInfo
  await assert.rejects(startListening(createServer(), { ...where, port }, unexpected), { code: 'EADDRINUSE' })
  taken.close()
  await once(taken, 'close')
})
