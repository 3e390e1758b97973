// What becomes of an event, answer by answer: the tables of Knative's delivery contract against a scripted subscriber.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DispatchSpec } from '../reconciler.ts'
import { eventually } from '../../base/eventually.ts'
import { anEvent, aTestBed } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'
import type { ScriptedAnswer } from './scripted-subscriber.ts'

const twice: DispatchSpec['delivery'] = { retry: 1, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' }
const replyHeaders = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/kitchen', 'ce-type': 'served' }

/** Moves time on until it is so, and says how long that took. */
async function msUntil({ clock }: TestBed, holds: () => boolean, what: string): Promise<number> {
  const startMs = clock.now()
  await eventually(holds, what, { turn: () => clock.advance(10) })
  return clock.now() - startMs
}

describe('an answer without an event', () => {
  const rows: [number, 'delivered' | 'retried' | 'failed at once'][] = [
    [200, 'delivered'],
    [202, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [300, 'failed at once'],
    [302, 'failed at once'],
    [304, 'failed at once'],
    [307, 'failed at once'],
    [400, 'failed at once'],
    [401, 'failed at once'],
    [403, 'failed at once'],
    [404, 'retried'],
    [405, 'failed at once'],
    [408, 'retried'],
    [409, 'retried'],
    [410, 'failed at once'],
    [413, 'failed at once'],
    [415, 'failed at once'],
    [422, 'failed at once'],
    [429, 'retried'],
    [500, 'retried'],
    [501, 'retried'],
    [502, 'retried'],
    [503, 'retried'],
    [505, 'retried'],
    [599, 'retried'],
  ]
  for (const [status, outcome] of rows) {
    test(`${status} means ${outcome}`, async () => {
      await using bed = await aTestBed()
      const elsewhere = { location: '/elsewhere' }
      const subscriber = await bed.subscriber(() => ({
        status,
        headers: status < 400 && status > 299 ? elsewhere : {},
      }))
      const sink = await bed.subscriber(() => ({ status: 200 }))
      await bed.dispatch({ subscriber, deadLetter: sink, delivery: twice })
      await bed.append()
      if (outcome === 'retried') {
        const fact = await bed.until('retrying')
        assert.deepEqual([fact.status, fact.attempt], [status, 1])
        await bed.clock.advance(200)
      }
      await bed.until(outcome === 'delivered' ? 'delivered' : 'dead-lettered')
      assert.equal(subscriber.requests.length, outcome === 'retried' ? 2 : 1)
      assert.ok(subscriber.requests.every(({ line }) => line === 'POST /'))
      const letter = sink.requests[0]
      if (outcome === 'delivered') return assert.equal(letter, undefined)
      assert.equal(letter?.headers['ce-knativeerrordest'], subscriber.url)
      assert.equal(letter?.headers['ce-knativeerrorcode'], String(status))
    })
  }
})

describe('no proper answer is retried, and dead-lettered with code 500', () => {
  const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
  const upgrade = 'HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'
  const rows: [string, ScriptedAnswer, errorType: string, reason: RegExp][] = [
    ['closing without a byte', { bytes: '', after: 'close' }, 'closed', /other side closed/],
    ['garbage', { bytes: 'how do you do\r\n\r\n', after: 'close' }, 'invalid_answer', /Expected HTTP/],
    ['half a status line', { bytes: 'HTTP/1.1 2', after: 'close' }, 'closed', /other side closed/],
    ['headers without an end', { bytes: 'HTTP/1.1 200 OK\r\nx-le', after: 'close' }, 'closed', /other side closed/],
    ['a body that is shorter than announced', { bytes: ok.slice(0, -2), after: 'close' }, 'closed', /./],
    ['a broken chunk', { bytes: `${chunked}zz\r\n`, after: 'close' }, 'invalid_answer', /chunk size/],
    [
      'an endless header',
      { bytes: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`, after: 'silence' },
      'invalid_answer',
      /./,
    ],
    ['an upgrade nobody asked for', { bytes: upgrade, after: 'silence' }, 'closed', /upgrade/],
  ]
  for (const [name, answer, errorType, reason] of rows) {
    test(name, async () => {
      await using bed = await aTestBed()
      const subscriber = await bed.subscriber(() => answer)
      const sink = await bed.subscriber(() => ({ status: 200 }))
      await bed.dispatch({ subscriber, deadLetter: sink, delivery: twice })
      await bed.append()
      const { status } = await bed.until('retrying')
      assert.equal(status, undefined)
      await bed.clock.advance(200)
      await bed.until('dead-lettered')
      assert.equal(subscriber.requests.length, 2)
      assert.equal(sink.requests[0]?.headers['ce-knativeerrorcode'], '500')
      assert.notEqual(sink.requests[0]?.headers['ce-knativeerrordata'], undefined)
      const tries = /^kn_eventing_dispatch_duration_seconds_count.*,error_type="(\w+)"\} 2$/m
      assert.equal(tries.exec(bed.metrics.prometheus())?.[1], errorType)
      assert.match(bed.giveUps[0]!.reason, reason)
    })
  }

  test('closing at any byte of the answer', async () => {
    await using bed = await aTestBed({ limits: { circuitTriesMin: 1_000 } })
    const subscriber = await bed.subscriber((_request, count) => ({ bytes: ok.slice(0, count - 1), after: 'close' }))
    await bed.dispatch({ contract: 'subscription', subscriber, delivery: { retry: ok.length } })
    await bed.append()
    const { attempt } = await bed.until('delivered')
    assert.equal(attempt, ok.length + 1)
  })

  test('a refused connection', async () => {
    await using bed = await aTestBed()
    const sink = await bed.subscriber(() => ({ status: 200 }))
    await bed.dispatch({ subscriber: { url: 'http://127.0.0.1:1/' }, deadLetter: sink })
    await bed.append()
    const fact = await bed.until('dead-lettered')
    assert.match(String(fact.message), /ECONNREFUSED/)
    assert.match(bed.metrics.prometheus(), /error_type="refused"/)
    assert.equal(sink.requests[0]?.headers['ce-knativeerrorcode'], '500')
  })

  const slow: [string, ScriptedAnswer][] = [
    ['silence', { bytes: '', after: 'silence' }],
    ['an answer that stops in its headers', { bytes: 'HTTP/1.1 200 OK\r\n', after: 'silence' }],
    ['an answer that stops in its body', { bytes: ok.slice(0, -1), after: 'silence' }],
  ]
  for (const [name, answer] of slow) {
    test(`${name}, cut after the timeout`, async () => {
      await using bed = await aTestBed()
      const subscriber = await bed.subscriber(() => answer)
      const sink = await bed.subscriber(() => ({ status: 200 }))
      await bed.dispatch({ subscriber, deadLetter: sink, delivery: { timeout: 'PT2S' } })
      await bed.append()
      await eventually(() => subscriber.requests.length === 1, 'the request')
      await bed.clock.advance(1_999)
      assert.equal(
        bed.facts.some(({ what }) => what === 'dead-lettered'),
        false,
      )
      await bed.clock.advance(1)
      const { message } = await bed.until('dead-lettered')
      assert.match(String(message), /no complete answer within 2000 ms/)
      assert.match(bed.metrics.prometheus(), /error_type="timeout"/)
      await eventually(() => subscriber.connections === 0, 'the connection to be cut')
    })
  }

  test('a subscriber URL that is none fails at once, with code -1', async () => {
    await using bed = await aTestBed()
    const sink = await bed.subscriber(() => ({ status: 200 }))
    await bed.dispatch({ subscriber: { url: '/orders' }, deadLetter: sink, delivery: twice })
    await bed.append()
    await bed.until('dead-lettered')
    assert.equal(sink.requests[0]?.headers['ce-knativeerrorcode'], '-1')
  })
})

describe('what a 2xx answer carries', () => {
  const structured = JSON.stringify({ specversion: '1.0', id: 'r', source: '/kitchen', type: 'served', data: 7 })
  const events: [string, ScriptedAnswer][] = [
    ['a binary event', { status: 200, headers: { ...replyHeaders, 'content-type': 'text/plain' }, body: 'tea' }],
    ['an event without data', { status: 200, headers: replyHeaders }],
    ['an event in a 202', { status: 202, headers: replyHeaders, body: 'tea' }],
    [
      'a structured event',
      { status: 200, headers: { 'content-type': 'application/cloudevents+json' }, body: structured },
    ],
  ]
  for (const contract of ['trigger', 'subscription'] as const) {
    for (const [name, answer] of events) {
      test(`${contract}: ${name} is a reply, sent on in binary mode`, async () => {
        await using bed = await aTestBed()
        const subscriber = await bed.subscriber(() => answer)
        const reply = await bed.subscriber(() => ({ status: 202 }))
        await bed.dispatch({ contract, subscriber, reply })
        await bed.append()
        await bed.until('delivered')
        assert.equal(reply.requests.length, 1)
        const { headers } = reply.requests[0]!
        assert.deepEqual([headers['ce-id'], headers['ce-type'], headers['ce-source']], ['r', 'served', '/kitchen'])
        assert.equal(headers['prefer'], undefined)
        assert.equal(headers['kn-namespace'], 'default')
      })
    }

    test(`${contract}: a reply without a place to go is dropped silently`, async () => {
      await using bed = await aTestBed()
      const subscriber = await bed.subscriber(() => events[0]![1])
      await bed.dispatch({ contract, subscriber })
      await bed.append()
      await bed.until('delivered')
      assert.deepEqual(bed.giveUps, [])
    })
  }

  test('a body that is no event fails a Trigger once, without calling the function again', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: 'ok',
    }))
    const sink = await bed.subscriber(() => ({ status: 200 }))
    await bed.dispatch({ subscriber, deadLetter: sink, delivery: { retry: 5 } })
    await bed.append()
    await bed.until('dead-lettered')
    assert.equal(subscriber.requests.length, 1)
    const { headers } = sink.requests[0]!
    assert.equal(headers['ce-knativeerrordest'], subscriber.url)
    assert.equal(headers['ce-knativeerrorcode'], undefined)
  })

  test('a body that is no event does not matter to a Subscription', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: 'ok',
    }))
    const reply = await bed.subscriber(() => ({ status: 202 }))
    await bed.dispatch({ contract: 'subscription', subscriber, reply })
    await bed.append()
    await bed.until('delivered')
    assert.equal(reply.requests.length, 0)
  })

  const broken: [string, ScriptedAnswer][] = [
    ['an event without an id', { status: 200, headers: { ...replyHeaders, 'ce-id': '' } }],
    ['half an event', { status: 200, headers: { 'content-type': 'application/cloudevents+json' }, body: '{"id":' }],
    ['a batch', { status: 200, headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[]' }],
    ['an event that is too long', { status: 200, headers: replyHeaders, body: 'x'.repeat(2_000) }],
  ]
  for (const [name, answer] of broken) {
    test(`${name} fails as a reply: the dead letter is the original event, with code 400`, async () => {
      await using bed = await aTestBed({ limits: { answerBytesMax: 1_000 } })
      const subscriber = await bed.subscriber(() => answer)
      const reply = await bed.subscriber(() => ({ status: 202 }))
      const sink = await bed.subscriber(() => ({ status: 200 }))
      await bed.dispatch({ subscriber, reply, deadLetter: sink, delivery: { retry: 5 } })
      await bed.append()
      await bed.until('dead-lettered')
      assert.deepEqual([subscriber.requests.length, reply.requests.length], [1, 0])
      const { headers } = sink.requests[0]!
      assert.deepEqual([headers['ce-id'], headers['ce-knativeerrorcode']], ['1', '400'])
      assert.equal(headers['ce-knativeerrordest'], reply.url)
    })
  }

  test('an endless answer to a Subscription is cut and does not matter', async () => {
    await using bed = await aTestBed({ limits: { answerBytesMax: 1_000 } })
    const endless = `HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n${'x'.repeat(2_000)}`
    const subscriber = await bed.subscriber(() => ({ bytes: endless, after: 'silence' }))
    await bed.dispatch({ contract: 'subscription', subscriber })
    await bed.append()
    await bed.until('delivered')
    await eventually(() => subscriber.connections === 0, 'the connection to be cut')
  })
})

describe('a reply that fails', () => {
  test('is retried by itself; the function is not called again', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({ status: 200, headers: replyHeaders }))
    const reply = await bed.subscriber((_request, count) => ({ status: count === 1 ? 503 : 202 }))
    await bed.dispatch({ subscriber, reply, delivery: twice })
    await bed.append()
    const waitedMs = await msUntil(bed, () => reply.requests.length === 2, 'the second reply')
    await bed.until('delivered')
    assert.ok(waitedMs >= 200, `${waitedMs} ms`)
    assert.deepEqual([subscriber.requests.length, reply.requests.length], [1, 2])
  })

  test('for good dead-letters the original event, naming the target of the reply', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({ status: 200, headers: replyHeaders }))
    const reply = await bed.subscriber(() => ({ status: 400, body: 'no hops left' }))
    const sink = await bed.subscriber(() => ({ status: 200 }))
    await bed.dispatch({ subscriber, reply, deadLetter: sink, delivery: twice })
    await bed.append()
    await bed.until('dead-lettered')
    const { headers, body } = sink.requests[0]!
    assert.deepEqual([headers['ce-id'], headers['ce-knativeerrorcode'], body], ['1', '400', '{"cups":1}'])
    assert.equal(headers['ce-knativeerrordest'], reply.url)
    assert.equal(Buffer.from(headers['ce-knativeerrordata'] ?? '', 'base64').toString(), 'no hops left')
    assert.equal(subscriber.requests.length, 1)
  })
})

describe('the dead letter sink', () => {
  test('is retried as the delivery was, without Prefer, and its answer is not looked at', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({ status: 400 }))
    const answers: ScriptedAnswer[] = [{ status: 503 }, { status: 200, headers: replyHeaders, body: 'no event' }]
    const sink = await bed.subscriber((_request, count) => answers[count - 1]!)
    const reply = await bed.subscriber(() => ({ status: 202 }))
    await bed.dispatch({ subscriber, reply, deadLetter: sink, delivery: { ...twice, format: 'json' } })
    await bed.append()
    const waitedMs = await msUntil(bed, () => sink.requests.length === 2, 'the second dead letter')
    await bed.until('dead-lettered')
    assert.ok(waitedMs >= 200, `${waitedMs} ms`)
    assert.equal(sink.requests[1]?.headers['prefer'], undefined)
    assert.equal(sink.requests[1]?.headers['ce-id'], '1')
    assert.equal(reply.requests.length, 0)
    assert.deepEqual(
      bed.giveUps.map(({ deadLettered }) => deadLettered),
      [true],
    )
  })

  test('that fails as well ends it: told, counted, dropped, and the next event goes on', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber((_request, count) => ({ status: count === 1 ? 400 : 200 }))
    const sink = await bed.subscriber(() => ({ status: 400 }))
    await bed.dispatch({ subscriber, deadLetter: sink })
    await bed.append(anEvent({ id: '1' }))
    await bed.until('dropped')
    await bed.append(anEvent({ id: '2' }))
    await bed.until('delivered')
    assert.equal(bed.giveUps.length, 1)
    assert.match(bed.giveUps[0]!.reason, /answered 400; the dead letter sink .* failed as well: answered 400/)
    assert.match(bed.metrics.prometheus(), /knode_delivery_events_total\{[^}]*outcome="dropped"\} 1\n/)
  })

  test('that is not there makes a failed event a dropped one', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({ status: 400 }))
    await bed.dispatch({ subscriber })
    await bed.append()
    const { message } = await bed.until('dropped')
    assert.equal(message, 'answered 400; there is no dead letter sink')
    assert.deepEqual(
      bed.giveUps.map(({ deadLettered, status }) => [deadLettered, status]),
      [[false, 400]],
    )
  })
})
