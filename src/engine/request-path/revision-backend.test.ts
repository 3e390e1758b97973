import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import type { FakeProgram } from '../../ports/workload-runtime/fake/fake-runtime.ts'
import { read, setUp, until } from '../../../test/harness/revision-backend.ts'
import type { Answer } from '../../../test/harness/revision-backend.ts'

const limit = { timeout: 20_000 }

describe('a backend at zero', limit, () => {
  it('runs nothing and keeps no timer until somebody asks', async () => {
    await using test = await setUp()
    assert.equal(test.runtime.started.length, 0)
    assert.equal(test.clock.pendingTimers, 0)
    assert.deepEqual(test.backend.state, { phase: 'proven' })
  })

  it('starts one instance for many requests, which wait until it is ready', async () => {
    await using test = await setUp({ startMs: 3_000 })
    const answers = Promise.all(Array.from({ length: 50 }, () => test.send()))
    await until(() => test.runtime.started.length > 0)
    await settle(20)
    await test.clock.advance(3_000)
    for (const { status, body } of await answers) {
      assert.equal(status, 200)
      assert.match(body, /^hello-00001-[a-z0-9]{5}$/)
    }
    assert.equal(test.runtime.started.length, 1)
  })

  it('stops the instance when it was idle for the window, counted from the last request', async () => {
    await using test = await setUp()
    await test.send()
    await settle()
    await test.clock.advance(59_000)
    await test.send()
    await settle()
    await test.clock.advance(59_999)
    assert.equal(test.runtime.running.length, 1)
    await test.clock.advance(1)
    await until(() => test.runtime.running.length === 0)
    assert.deepEqual(test.backend.state, { phase: 'proven' })
    assert.equal(test.clock.pendingTimers, 0)
    assert.equal((await test.send()).status, 200)
    assert.equal(test.runtime.started.length, 2)
  })

  it('does not stop an instance that works on a request', async () => {
    let answer = (): void => undefined
    await using test = await setUp({ handle: (_request, response) => void (answer = () => response.end('late')) })
    const sending = test.send()
    await until(() => test.backend.readyCount === 1)
    await settle(20)
    await test.clock.advance(120_000)
    assert.equal(test.runtime.running.length, 1)
    answer()
    assert.equal((await sending).body, 'late')
  })
})

describe('a backend that has to prove its program', limit, () => {
  it('starts one instance at once, tells when it is ready, and stops it when nobody comes', async () => {
    await using test = await setUp({ startMs: 1_000 }, { instancesInitial: 1 })
    await until(() => test.runtime.started.length === 1)
    assert.deepEqual(test.backend.state, { phase: 'deploying' })
    await test.clock.advance(1_000)
    assert.deepEqual(test.backend.state, { phase: 'proven' })
    assert.ok(test.changes() > 0)
    await test.clock.advance(60_000)
    await until(() => test.runtime.running.length === 0)
    assert.deepEqual(test.backend.state, { phase: 'proven' })
  })

  it('tells the exit code and the last words of a program that ends, and tries again with growing waits', async () => {
    let script: FakeProgram = { prints: ['no config'], exit: { code: 2 } }
    await using test = await setUp(() => script, { instancesInitial: 1 })
    await until(() => test.backend.state.phase === 'failed')
    const { state } = test.backend
    assert.ok(state.phase === 'failed')
    assert.deepEqual(
      [state.failure.kind, state.failure.exit, state.failure.output],
      ['exited', { code: 2 }, 'no config'],
    )
    const startsAfter = async (ms: number): Promise<number> => {
      await test.clock.advance(ms)
      await settle(10)
      return test.runtime.started.length
    }
    assert.deepEqual([await startsAfter(999), await startsAfter(1)], [1, 2])
    assert.deepEqual([await startsAfter(1_999), await startsAfter(1)], [2, 3])
    script = {}
    await startsAfter(4_000)
    assert.deepEqual(test.backend.state, { phase: 'proven' })
  })

  it('gives up a program that never listens after the deadline', async () => {
    await using test = await setUp({ startMs: Infinity }, { instancesInitial: 1, readyMs: 5_000 })
    await until(() => test.runtime.started.length === 1)
    await test.clock.advance(5_000)
    await until(() => test.backend.state.phase === 'failed')
    const { state } = test.backend
    assert.ok(state.phase === 'failed')
    assert.equal(state.failure.kind, 'not-listening')
    await test.clock.advance(600_000)
    assert.equal(test.runtime.started.length, 1)
    assert.equal(test.runtime.running.length, 0)
  })

  it('tells what nothing can run, and answers requests with it', async () => {
    await using test = await setUp(() => undefined, { instancesInitial: 1 })
    await until(() => test.backend.state.phase === 'failed')
    const { state } = test.backend
    assert.ok(state.phase === 'failed')
    assert.deepEqual([state.failure.kind, state.failure.message], ['missing', 'no script for image hello'])
    const answer = await test.send()
    assert.deepEqual([answer.status, answer.body], [503, 'the program cannot be started: no script for image hello\n'])
  })
})

describe('a backend whose program fails', limit, () => {
  it('lets requests wait through a failed start', async () => {
    let script: FakeProgram = { exit: { code: 1 } }
    await using test = await setUp(() => script)
    const sending = test.send()
    await until(() => test.backend.state.phase === 'failed')
    script = {}
    await test.clock.advance(1_000)
    assert.equal((await sending).status, 200)
  })

  it('answers 503 with the reason after three failed starts, and at once while it waits for the next try', async () => {
    await using test = await setUp({ exit: { code: 1 } })
    const sending = test.send()
    for (const ms of [1_000, 2_000]) {
      await until(() => test.clock.pendingTimers >= 2)
      await test.clock.advance(ms)
      await settle(10)
    }
    const answer = await sending
    assert.equal(answer.status, 503)
    assert.match(answer.body, /^the program cannot be started: default\/hello-00001-\w+ ended with exit code 1 before/)
    assert.equal((await test.send()).status, 503)
    assert.equal(test.runtime.started.length, 3)
  })

  it('starts another instance when one ends by itself after a while', async () => {
    await using test = await setUp()
    await test.send()
    await test.clock.advance(20_000)
    test.runtime.running[0]!.end({ code: 1 })
    await until(() => test.runtime.started.length === 2)
    assert.equal((await test.send()).status, 200)
  })

  it('does not restart in a tight loop what ends as soon as it is ready', async () => {
    await using test = await setUp({}, { instancesMin: 1 })
    await until(() => test.backend.readyCount === 1)
    test.runtime.running[0]!.end({ code: 1 })
    await settle(10)
    assert.equal(test.runtime.started.length, 1)
    await test.clock.advance(1_000)
    await until(() => test.runtime.started.length === 2)
  })

  it('answers 502 when the program refuses or breaks the connection', async () => {
    await using test = await setUp({ handle: (request) => void request.socket.destroy() })
    const answer = await test.send()
    assert.equal(answer.status, 502)
    assert.match(answer.body, /^the program did not answer: /)
  })
})

describe('a backend within its limits', limit, () => {
  it('keeps as many instances as it must, however idle', async () => {
    await using test = await setUp({}, { instancesMin: 3 })
    await until(() => test.backend.readyCount === 3)
    await test.clock.advance(600_000)
    assert.equal(test.runtime.running.length, 3)
  })

  it('gives an instance no more than containerConcurrency requests at a time, in the order they came', async () => {
    const order: string[] = []
    const answers: (() => void)[] = []
    let most = 0
    let now = 0
    const handle: RequestListener = (request, response) => {
      most = Math.max(most, ++now)
      order.push(request.url!)
      answers.push(() => {
        now--
        response.end()
      })
    }
    await using test = await setUp({ handle }, { containerConcurrency: 2 })
    const sent: Promise<Answer>[] = []
    for (let at = 0; at < 5; at++) {
      sent.push(test.send({ path: `/${at}` }))
      await settle(10)
    }
    for (let at = 0; at < 5; at++) {
      await until(() => answers.length > 0)
      answers.shift()!()
    }
    await Promise.all(sent)
    assert.equal(most, 2)
    assert.deepEqual(order, ['/0', '/1', '/2', '/3', '/4'])
  })

  it('answers 504 when there is no byte in time, the start of the instance included', async () => {
    await using test = await setUp({ startMs: 20_000 }, { timeouts: { totalMs: 10_000 } })
    const sending = test.send()
    await until(() => test.runtime.started.length === 1)
    await test.clock.advance(10_000)
    const answer = await sending
    assert.deepEqual([answer.status, answer.body], [504, 'request timeout\n'])
  })

  it('answers 504 when the answer does not begin, or nothing comes for too long', async () => {
    for (const timeouts of [
      { totalMs: 10_000, responseStartMs: 1_000 },
      { totalMs: 10_000, idleMs: 1_000 },
    ]) {
      let isAsked = false
      await using test = await setUp({ handle: () => void (isAsked = true) }, { timeouts })
      const sending = test.send()
      await until(() => isAsked)
      await test.clock.advance(1_000)
      assert.equal((await sending).status, 504)
    }
  })

  it('cuts an answer that takes too long, and says so at its end', async () => {
    let isAsked = false
    const handle: RequestListener = (_request, response) => {
      response.write('begun ')
      isAsked = true
    }
    await using test = await setUp({ handle }, { timeouts: { totalMs: 10_000 } })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, agent: false }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    assert.ok(isAsked)
    await settle(10)
    await test.clock.advance(10_000)
    assert.deepEqual([response.statusCode, (await read(response)).body], [200, 'begun request timeout'])
  })

  it('frees the place of a client that goes away', async () => {
    let isAsked = false
    const handle: RequestListener = (request, response) => {
      if (request.url === '/slow') isAsked = true
      else response.end('quick')
    }
    await using test = await setUp({ handle }, { containerConcurrency: 1 })
    const leaving = httpRequest({ host: '127.0.0.1', port: test.port, path: '/slow', agent: false }).end()
    leaving.on('error', () => undefined)
    await until(() => isAsked)
    const waiting = test.send()
    leaving.destroy()
    assert.equal((await waiting).body, 'quick')
  })
})

describe('closing a backend', limit, () => {
  it('finishes requests that were taken, refuses new ones, and stops the instance', async () => {
    let answer = (): void => undefined
    await using test = await setUp({ handle: (_request, response) => void (answer = () => response.end('done')) })
    const sending = test.send()
    await until(() => test.backend.readyCount === 1)
    await settle(20)
    const closing = test.backend[Symbol.asyncDispose]()
    const refused = await test.send()
    assert.deepEqual([refused.status, refused.body], [503, 'shutting down\n'])
    answer()
    assert.equal((await sending).body, 'done')
    await closing
    assert.equal(test.runtime.running.length, 0)
  })

  it('stops an instance that is still starting', async () => {
    await using test = await setUp({ startMs: Infinity }, { instancesInitial: 1 })
    await until(() => test.runtime.started.length === 1)
    await test.backend[Symbol.asyncDispose]()
    assert.equal(test.runtime.running.length, 0)
  })

  it('gives up waiting requests after a while', async () => {
    await using test = await setUp({ startMs: Infinity })
    const sending = test.send()
    await until(() => test.runtime.started.length === 1)
    const closing = test.backend[Symbol.asyncDispose]()
    await test.clock.advance(10_000)
    assert.equal((await sending).status, 503)
    await closing
  })
})
