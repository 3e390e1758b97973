// How long a request may take, what is told of it, and how a door closes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { ask, limit, manual, openDoor, read, until } from '../../../test/harness/revision-door.ts'

describe('the time a request may take', limit, () => {
  it('ends with 504, the wait for a Pod included', async () => {
    await using test = await openDoor({ timeouts: { totalMs: 10_000 } })
    const sending = test.send()
    await until(() => test.door.inFlight === 1)
    await test.clock.advance(10_000)
    const { status, body } = await sending
    assert.deepEqual([status, body], [504, 'activator request timeout'])
    assert.deepEqual([test.door.inFlight, test.clock.pendingTimers], [0, 0])
  })

  it('ends with 504 when the answer does not begin, or nothing comes for too long', async () => {
    for (const timeouts of [
      { totalMs: 1_000 },
      { totalMs: 10_000, responseStartMs: 1_000 },
      { totalMs: 10_000, idleMs: 1_000 },
    ]) {
      const program = manual()
      await using test = await openDoor({ timeouts })
      await test.addPod(program)
      const sending = test.send()
      await until(() => program.asked.length === 1)
      await test.clock.advance(1_000)
      const { status, body } = await sending
      assert.deepEqual([status, body], [504, 'request timeout'])
      assert.equal(test.clock.pendingTimers, 0)
    }
  })

  it('cuts an answer that takes too long, and says so at its end', async () => {
    for (const timeouts of [{ totalMs: 3_000 }, { totalMs: 10_000, idleMs: 3_000 }]) {
      await using test = await openDoor({ timeouts })
      await test.addPod({ handle: (_request, response) => void response.write('begun ') })
      const [response] = (await once(ask(test.port, '/'), 'response')) as [IncomingMessage]
      await settle(10)
      await test.clock.advance(3_000)
      assert.deepEqual([response.statusCode, (await read(response)).body], [200, 'begun request timeout'])
    }
  })

  it('is not over while the answer goes on: each piece counts', async () => {
    let more = (_end: boolean): void => undefined
    await using test = await openDoor({ timeouts: { totalMs: 100_000, responseStartMs: 1_000, idleMs: 3_000 } })
    const handle: RequestListener = (_request, response) => {
      more = (isEnd) => void (isEnd ? response.end() : response.write('.'))
      more(false)
    }
    await test.addPod({ handle })
    const [response] = (await once(ask(test.port, '/'), 'response')) as [IncomingMessage]
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    for (let pieces = 1; pieces < 5; pieces++) {
      await until(() => text.length === pieces)
      await test.clock.advance(2_000)
      more(false)
    }
    await until(() => text.length === 5)
    more(true)
    await once(response, 'end')
    assert.equal(text, '.....')
  })
})

describe('what the autoscaler hears', limit, () => {
  it('is the concurrency over the time, waiting requests included, and how many came', async () => {
    const program = manual()
    await using test = await openDoor({ containerConcurrency: 1 })
    assert.deepEqual(test.door.takeSample(), { averageConcurrency: 0, requestCount: 0 })
    await test.addPod(program)
    const sent = [test.send(), test.send()]
    await until(() => test.door.inFlight === 2)
    await test.clock.advance(500)
    await until(() => program.asked.length === 1)
    program.answer()
    await until(() => test.door.inFlight === 1)
    await test.clock.advance(500)
    assert.deepEqual(test.door.takeSample(), { averageConcurrency: 1.5, requestCount: 2 })
    await test.clock.advance(1_000)
    assert.deepEqual(test.door.takeSample(), { averageConcurrency: 1, requestCount: 0 })
    await until(() => program.asked.length === 2)
    program.answer()
    await Promise.all(sent)
  })

  it('is the call of the last listener only', async () => {
    await using test = await openDoor()
    const heard: string[] = []
    const first = test.door.onDemand(() => void heard.push('first'))
    const second = test.door.onDemand(() => void heard.push('second'))
    first[Symbol.dispose]()
    await test.addPod()
    await test.send()
    second[Symbol.dispose]()
    await test.send()
    assert.deepEqual(heard, ['second'])
  })
})

describe('what the door tells in numbers', limit, () => {
  it('is how many wait and are worked on, and how long answers took, by status', async () => {
    const program = manual()
    await using test = await openDoor({ containerConcurrency: 1 })
    await test.addPod(program)
    const sent = [test.send(), test.send(), test.send()]
    await until(() => test.door.inFlight === 3 && program.asked.length === 1)
    const of = '{k8s_namespace_name="default",kn_revision_name="hello-00001"}'
    const busy = test.metrics.prometheus()
    assert.ok(busy.includes(`kn_serving_queue_depth${of} 3`), busy)
    assert.ok(busy.includes(`kn_revision_request_queued${of} 2`))
    assert.ok(busy.includes(`kn_revision_request_active${of} 1`))
    for (let at = 1; at <= 3; at++) {
      await until(() => program.asked.length === at)
      await test.clock.advance(100)
      program.answer()
    }
    await Promise.all(sent)
    const done = test.metrics.prometheus()
    assert.match(done, /invocation_duration_seconds_count\{.*http_response_status_code="200"\} 3/)
    const [line = ''] = done.split('\n').filter((each) => each.startsWith('http_server_request_duration_seconds_count'))
    assert.match(line, /http_response_status_code="200",http_request_method="GET"\} 3$/)
    assert.doesNotMatch(done, /request_active\{/)
  })
})

describe('closing a door', limit, () => {
  it('finishes requests that are with a Pod and refuses new ones', async () => {
    const program = manual()
    await using test = await openDoor()
    await test.addPod(program)
    const sending = test.send()
    await until(() => program.asked.length === 1)
    const closing = test.door[Symbol.asyncDispose]()
    assert.equal(test.doors.find('default', 'hello-00001'), undefined)
    const refused = await test.send()
    assert.deepEqual([refused.status, refused.body], [503, 'shutting down\n'])
    program.answer()
    assert.equal((await sending).body, 'done')
    await closing
    assert.equal(test.clock.pendingTimers, 0)
  })

  it('refuses at once what waits for a Pod that will not come', async () => {
    await using test = await openDoor()
    const sending = test.send()
    await until(() => test.door.inFlight === 1)
    await test.door[Symbol.asyncDispose]()
    assert.equal((await sending).status, 503)
  })

  it('does not wait longer than it must for a request that never ends', async () => {
    const program = manual()
    await using test = await openDoor()
    await test.addPod(program)
    const asking = ask(test.port, '/')
    await until(() => program.asked.length === 1)
    const closing = test.door[Symbol.asyncDispose]()
    await test.clock.advance(10_000)
    await closing
    asking.destroy()
  })

  it('leaves the name to a door that was opened since', async () => {
    await using test = await openDoor()
    let changes = 0
    using _watch = test.doors.watch('default', 'hello-00001', () => void changes++)
    await using second = test.doors.open(test.door.spec)
    await test.door[Symbol.asyncDispose]()
    assert.equal(test.doors.find('default', 'hello-00001'), second)
    await second[Symbol.asyncDispose]()
    assert.equal(test.doors.find('default', 'hello-00001'), undefined)
    assert.equal(changes, 2)
  })
})
