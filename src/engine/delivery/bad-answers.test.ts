// Ten thousand bad answers on their whole way: each event ends in a counted and told way, and nothing of it is left.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseMemory } from '../../base/memory.ts'
import { eventually } from '../../base/eventually.ts'
import { createFlowFeed } from '../flow.ts'
import type { ScriptedAnswer } from './scripted-subscriber.ts'
import { anEvent, aTestBed } from './test-bed.ts'

const reply = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/kitchen', 'ce-type': 'served' }
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const whole = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nall of it'

/** Bad each in its own way; what the Trigger's Event says of it. */
const answers: [ScriptedAnswer, told: RegExp][] = [
  [{ status: 400, body: 'x'.repeat(3_000) }, /^answered 400;/],
  [{ status: 302, headers: { location: '/elsewhere' } }, /^answered 302;/],
  [{ status: 500 }, /^answered 500;/],
  [{ status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }, /^answered 200 with a body that is no Cl/],
  [{ status: 200, headers: { ...reply, 'ce-id': '' } }, /^the subscriber's reply is no valid event: .*"id" is empty/],
  [{ status: 200, headers: reply, body: 'x'.repeat(3_000) }, /longer than 2000 bytes/],
  [{ bytes: 'garbage\r\n\r\n', after: 'silence' }, /Expected HTTP/],
  [{ bytes: `${chunked}zz\r\n`, after: 'silence' }, /chunk size/],
  [{ bytes: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(5_000)}`, after: 'silence' }, /^Headers Overflow/],
  ...Array.from(whole, (_, at): [ScriptedAnswer, RegExp] => [{ bytes: whole.slice(0, at), after: 'close' }, /./]),
]

test('10,000 bad answers are 10,000 events dropped, counted and told, and leave nothing behind', async () => {
  const events = 10_000
  const unexpected = new Set<string>()
  let told = 0
  await using bed = await aTestBed({
    // Nobody watches: a test bed would keep every fact.
    flow: createFlowFeed(),
    onGiveUp({ event, deadLettered, reason }) {
      const which = Number(event.attributes.get('which'))
      if (deadLettered || !answers[which]![1].test(reason)) unexpected.add(`${which}: ${reason}`)
      told++
    },
    limits: { answerBytesMax: 2_000, answerHeaderBytesMax: 4_000, circuitTriesMin: Infinity },
    stream: { retentionBytes: 0 },
  })
  const subscriber = await bed.subscriber(({ headers }) => {
    subscriber.requests.length = 0
    return answers[Number(headers['ce-which'])]![0]
  })
  await bed.dispatch({ subscriber, reply: { url: 'http://127.0.0.1:1/' }, delivery: { retry: 0 } })
  const go = async (from: number, to: number): Promise<number> => {
    for (let at = from; at < to;) {
      for (let count = 0; count < 100; count++) {
        await bed.append(anEvent({ id: String(at), which: String(at++ % answers.length) }))
      }
      await eventually(
        () => told === at,
        () => `${at} to be told; ${told} were`,
      )
    }
    releaseMemory()
    return process.memoryUsage().heapUsed
  }
  const before = await go(0, 2_000)
  const after = await go(2_000, events)
  assert.equal(bed.outcome('dropped'), events)
  assert.deepEqual([bed.gauge('knode_delivery_pending'), bed.gauge('knode_delivery_accepted')], [0, events])
  assert.deepEqual([...unexpected], [])
  await eventually(() => subscriber.connections <= 100, 'the connections to be closed')
  assert.equal(bed.clock.pendingTimers, 1, 'the timer of the stream')
  assert.ok(after - before < 3_000_000, `${after - before} bytes more`)
})
