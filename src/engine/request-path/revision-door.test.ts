// Which Pod a request goes to, and what becomes of it.
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { ask, closedPort, limit, manual, openDoor, until } from '../../../test/harness/revision-door.ts'
import type { Answer } from '../../../test/harness/revision-door.ts'

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
    await test.addPod({ name: 'a', port: closedPort })
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
    await test.addPod({ port: closedPort })
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
