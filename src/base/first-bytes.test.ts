import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { FakeClock, settle } from './fake-clock.ts'
import { readFirstBytes } from './first-bytes.ts'

/** A server whose connections are `long` once they have shown three bytes; resolves with both ends of one. */
async function aConnection(clock: FakeClock, take: (protocol: string, socket: Socket) => void) {
  const server = createServer((socket) =>
    readFirstBytes(socket, {
      tell: (seen) => (seen.length < 3 ? undefined : 'long'),
      take: (protocol) => take(protocol, socket),
      clock,
      waitMsMax: 1_000,
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown]
  server.close()
  return { client, socket }
}

test('who takes a connection over reads it from its beginning', async () => {
  let text = ''
  const { client, socket } = await aConnection(new FakeClock(), (protocol, taken) => {
    text = `${protocol}: `
    taken.on('data', (data: Buffer) => (text += data.toString())).resume()
  })
  client.setNoDelay(true)
  for (const letter of 'hello') {
    client.write(letter)
    await settle()
  }
  client.end()
  await once(socket, 'end')
  assert.equal(text, 'long: hello')
  socket.destroy()
})

test('a connection that does not show in time what it is, is closed; one that did is left alone', async () => {
  const clock = new FakeClock()
  const silent = await aConnection(clock, () => assert.fail('it said nothing'))
  silent.client.on('error', () => undefined).resume()
  silent.client.write('he')
  await once(silent.socket, 'data')
  const closed = once(silent.client, 'close')
  const shown = await aConnection(clock, () => undefined)
  const data = once(shown.socket, 'data')
  shown.client.write('hello')
  await data
  await clock.advance(1_000)
  await closed
  assert.ok(!shown.socket.destroyed)
  shown.client.destroy()
  shown.socket.destroy()
})

test('a connection that ends before is closed', async () => {
  const { client, socket } = await aConnection(new FakeClock(), () => assert.fail('it said too little'))
  client.end('he')
  await once(socket, 'close')
})
