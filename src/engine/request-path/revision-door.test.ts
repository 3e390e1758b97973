import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { closedPort, openDoor, read, until } from '../../../test/harness/revision-door.ts'
import type { Answer } from '../../../test/harness/revision-door.ts'

const limit = { timeout: 20_000 }

/** A program whose answers are given by the test. */
function manual(): { handle: RequestListener; asked: string[]; answer: () => void; most: () => number } {
  const asked: string[] = []
  const answers: (() => void)[] = []
  let now = 0
  let most = 0
  return {
    asked,
    most: () => most,
    answer: () => answers.shift()!(),
    handle(request, response) {
      most = Math.max(most, ++now)
      asked.push(request.url!)
      response.on('close', () => now--)
      answers.push(() => response.end('done'))
    },
  }
}

describe('a door without a Pod', limit, () => {
  it('keeps no timer and asks for nothing until somebody comes', async () => {
    await using test = await openDoor()
    assert.equal(test.clock.pendingTimers, 0)
    assert.deepEqual([test.door.readyCount, test.door.inFlight], [0, 0])
  })

  it('lets all requests wait, tells of the first at once, and sends them when a Pod is ready', async () => {
    await using test = await openDoor()
    let calls = 0
    test.door.onDemand(() => void calls++)
    const answers = Promise.all(Array.from({ length: 50 }, () => test.send()))
    await until(() => test.door.inFlight === 50)
    assert.equal(calls, 1)
    const pod = await test.addPod({ isReady: false })
    await settle(10)
    assert.equal(test.door.inFlight, 50)
    pod.update({ isReady: true })
    assert.deepEqual([...new Set((await answers).map(({ status, body }) => `${status} ${body}`))], ['200 pod-1'])
    assert.equal(test.door.inFlight, 0)
    await test.send()
    assert.equal(calls, 2)
  })

  it('answers those who wait, and all who come, with the reason why there will be no Pod', async () => {
    await using test = await openDoor()
    const waiting = test.send()
    await until(() => test.door.inFlight === 1)
    test.door.setTrouble('Container failed with: no config')
    for (const { status, body } of [await waiting, await test.send()]) {
      assert.deepEqual([status, body], [503, 'Container failed with: no config\n'])
    }
    test.door.setTrouble(undefined)
    const later = test.send()
    await until(() => test.door.inFlight === 1)
    await test.addPod()
    assert.equal((await later).body, 'pod-1')
  })

  it('goes on sending to a Pod that is ready, whatever the trouble with others', async () => {
    await using test = await openDoor()
    await test.addPod()
    test.door.setTrouble('ImagePullBackOff')
    assert.equal((await test.send()).status, 200)
  })

  it('refuses what is more than the queue holds', async () => {
    await using test = await openDoor()
    const leave = Array.from({ length: 10_000 }, () => waitAtDoor(test.door))
    assert.equal(test.door.inFlight, 10_000)
    const answer = await test.send()
    assert.deepEqual([answer.status, answer.body], [503, 'pending request queue full\n'])
    for (const each of leave) each()
    assert.equal(test.door.inFlight, 0)
  })
})

/** A request without a client: only enough of one to wait. Returns what makes its client go away. */
function waitAtDoor(door: { handle: (request: IncomingMessage, response: never) => void }): () => void {
  let onClose = (): void => undefined
  const response = { on: (_name: string, listener: () => void) => void (onClose = listener) }
  door.handle({ rawHeaders: [], url: '/' } as unknown as IncomingMessage, response as never)
  return () => onClose()
}

describe('a door with Pods', limit, () => {
  it('gives each Pod no more than containerConcurrency requests at a time, in the order they came', async () => {
    const program = manual()
    await using test = await openDoor({ containerConcurrency: 2 })
    await test.addPod(program)
    const sent: Promise<Answer>[] = []
    for (let at = 0; at < 5; at++) {
      sent.push(test.send({ path: `/${at}` }))
      await until(() => test.door.inFlight === at + 1)
    }
    for (let at = 0; at < 5; at++) {
      await until(() => program.asked.length > at)
      program.answer()
    }
    await Promise.all(sent)
    assert.equal(program.most(), 2)
    assert.deepEqual(program.asked, ['/0', '/1', '/2', '/3', '/4'])
  })

  it('counts what others send to the same Pods, and hears of the places they give back', async () => {
    await using test = await openDoor({ containerConcurrency: 1 })
    await test.addPod()
    const [pod] = test.pods.select('default', test.door.spec.selector)
    pod!.acquire()
    const sending = test.send()
    await until(() => test.door.inFlight === 1)
    await settle(10)
    assert.equal(pod!.inFlight, 1)
    pod!.release()
    assert.equal((await sending).body, 'pod-1')
  })

  it('spreads requests over Pods that come, and leaves those that drain', async () => {
    await using test = await openDoor({ containerConcurrency: 10 })
    const first = await test.addPod()
    await test.addPod()
    const seen = new Set<string>()
    for (let at = 0; at < 4; at++) seen.add((await test.send()).body)
    assert.deepEqual([...seen].sort(), ['pod-1', 'pod-2'])
    await first.drain({ timeoutMs: 0 })
    assert.equal(test.door.readyCount, 1)
    for (let at = 0; at < 4; at++) assert.equal((await test.send()).body, 'pod-2')
  })

  it('tells at once when a Pod is gone with what it had, and sends the others elsewhere', async () => {
    const program = manual()
    await using test = await openDoor({ containerConcurrency: 1 })
    const first = await test.addPod(program)
    const lost = test.send({ path: '/lost' })
    await until(() => program.asked.length === 1)
    const waiting = [test.send(), test.send()]
    await until(() => test.door.inFlight === 3)
    first.remove()
    assert.equal((await lost).status, 502)
    await test.addPod()
    for (const { body } of await Promise.all(waiting)) assert.equal(body, 'pod-2')
    assert.equal(test.door.inFlight, 0)
  })

  it('lets a Pod that only lost its labels finish what it has', async () => {
    const program = manual()
    await using test = await openDoor()
    const pod = await test.addPod(program)
    const sending = test.send()
    await until(() => program.asked.length === 1)
    pod.update({ labels: {} })
    assert.equal(test.door.readyCount, 0)
    program.answer()
    assert.equal((await sending).body, 'done')
  })

  it('lets a Pod that drains finish what it has', async () => {
    const program = manual()
    await using test = await openDoor()
    const pod = await test.addPod(program)
    const sending = test.send()
    await until(() => program.asked.length === 1)
    let isDrained = false
    const draining = pod.drain({ timeoutMs: 60_000 }).then(() => (isDrained = true))
    await settle(10)
    assert.equal(isDrained, false)
    program.answer()
    assert.equal((await sending).body, 'done')
    await draining
    pod.remove()
  })

  it('finds another Pod for a request whose Pod refuses the connection, whatever its method and body', async () => {
    await using test = await openDoor({ containerConcurrency: 1 })
    await test.addPod({ name: 'a', port: await closedPort() })
    await test.addPod({
      name: 'b',
      handle(request, response) {
        let bytes = 0
        request.on('data', (chunk: Buffer) => (bytes += chunk.length))
        request.on('end', () => response.end(`b got ${bytes}`))
      },
    })
    for (const size of [0, 10, 300_000]) {
      const { status, body } = await test.send({ method: 'POST', body: Buffer.alloc(size) })
      assert.deepEqual([status, body], [200, `b got ${size}`])
      await test.clock.advance(1_000)
    }
  })

  it('tries the only Pod again after a while, and gives up in the end', async () => {
    await using test = await openDoor()
    await test.addPod({ port: await closedPort() })
    const sending = test.send()
    await until(() => test.door.inFlight === 1)
    while (test.door.inFlight > 0) {
      await test.clock.advance(1_000)
      await settle(20)
    }
    const { status, body } = await sending
    assert.equal(status, 502)
    assert.match(body, /^the program did not answer: .*ECONNREFUSED/)
    assert.equal(test.door.inFlight, 0)
  })

  it('never sends a request twice: a program that breaks the connection is answered 502', async () => {
    let asked = 0
    await using test = await openDoor()
    await test.addPod({
      handle(request) {
        asked++
        request.socket.destroy()
      },
    })
    const { status, body } = await test.send()
    assert.deepEqual([status, asked], [502, 1])
    assert.match(body, /^the program did not answer: /)
  })

  it('frees the place of a client that goes away', async () => {
    const program = manual()
    await using test = await openDoor({ containerConcurrency: 1 })
    await test.addPod(program)
    const leaving = ask(test.port, '/slow')
    await until(() => program.asked.length === 1)
    const gone = ask(test.port, '/gone')
    await until(() => test.door.inFlight === 2)
    const staying = test.send({ path: '/next' })
    await until(() => test.door.inFlight === 3)
    gone.destroy()
    leaving.destroy()
    await until(() => program.asked.length === 2)
    assert.deepEqual(program.asked, ['/slow', '/next'])
    program.answer()
    program.answer()
    assert.equal((await staying).status, 200)
  })
})

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

function ask(port: number, path: string): ClientRequest {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent: false })
  request.on('error', () => undefined)
  return request.end()
}
