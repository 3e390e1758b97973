import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { startScriptedApi } from '../../test/harness/scripted-api.ts'
import { outliveAnswer } from './idle-socket.ts'

test('a signal that aborts when the answer has just ended ends no process', async () => {
  await using api = await startScriptedApi({ 'GET /': { body: 'words' } })
  const agent = new Agent({ keepAlive: true })
  const stop = new AbortController()
  const sent = request(api.url, { agent, signal: stop.signal })
  outliveAnswer(sent)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // Without the guard this is an error that nobody hears.
  for await (const _ of response) stop.abort()
  agent.destroy()
})

test('a connection has one guard, however often it is used', async () => {
  await using api = await startScriptedApi({ 'GET /': { body: 'words' } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let guards = 0
  const exchange = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(api.url, { agent }, (response) => response.resume().on('end', () => setImmediate(resolve)))
      outliveAnswer(sent)
      sent.on('socket', (socket) => (guards = socket.listenerCount('error')))
      sent.on('error', reject)
      sent.end()
    })
  await exchange()
  const first = guards
  for (let time = 0; time < 5; time++) await exchange()
  assert.ok(guards <= first, `${guards} listeners, ${first} at first`)
  agent.destroy()
})
