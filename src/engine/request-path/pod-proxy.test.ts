import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { closedPort, limit, openDoor, send, until } from '../../../test/harness/revision-door.ts'
import type { Answer, SendOptions } from '../../../test/harness/revision-door.ts'
import type { PodTable } from '../serving.ts'
import { createPodProxy } from './pod-proxy.ts'

const selector = { 'serving.knative.dev/revisionUID': 'uid-1' }

interface Setup extends AsyncDisposable {
  send(options?: SendOptions): Promise<Answer>
}

/** A Service over the Pods of a table, behind a server of its own. */
async function aService(pods: PodTable, { clock }: Awaited<ReturnType<typeof openDoor>>): Promise<Setup> {
  const portOf = (pod: { portOf(port: number): number | undefined }): number | undefined => pod.portOf(8080)
  const proxy = createPodProxy({ pods, namespace: 'default', selector, portOf, clock, random: seededRandom(1) })
  const server = createServer((request, response) => proxy.handle(request, response))
  server.on('upgrade', (request, socket, head) => proxy.upgrade!(request, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    send: (options) => send(port, options),
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

describe('a core Service', limit, () => {
  it('sends to ready Pods only, and lets nobody wait for one', async () => {
    await using test = await openDoor()
    await using service = await aService(test.pods, test)
    const none = await service.send()
    assert.deepEqual([none.status, none.body], [503, 'no Pod of the Service is ready\n'])
    const pod = await test.addPod({ isReady: false })
    assert.equal((await service.send()).status, 503)
    pod.update({ isReady: true })
    assert.equal((await service.send()).body, 'pod-1')
    await test.addPod()
    const seen = new Set<string>()
    for (let at = 0; at < 20; at++) seen.add((await service.send()).body)
    assert.deepEqual([...seen].sort(), ['pod-1', 'pod-2'])
  })

  it('tries a Pod that refuses the connection again, and gives up when there is none any more', async () => {
    await using test = await openDoor()
    await using service = await aService(test.pods, test)
    const pod = await test.addPod({ port: closedPort })
    const sending = service.send()
    await until(() => test.clock.pendingTimers === 1)
    pod.update({ isReady: false })
    const { status, body } = await sending
    assert.deepEqual([status, body], [503, 'no Pod of the Service is ready\n'])
  })

  it('adds nothing to a request, and counts it at its Pod while it lasts', async () => {
    await using test = await openDoor()
    await using service = await aService(test.pods, test)
    let headers: string[] = []
    let answer = (): void => undefined
    await test.addPod({
      handle(request, response) {
        headers = request.rawHeaders
        answer = () => response.end('done')
      },
    })
    const sending = service.send({ headers: { host: 'web.default', 'x-mine': 'a' } })
    await until(() => headers.length > 0)
    const names = headers.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase())
    assert.deepEqual(names.sort(), ['connection', 'host', 'x-mine'])
    const [pod] = test.pods.select('default', selector)
    assert.equal(pod!.inFlight, 1)
    answer()
    assert.equal((await sending).body, 'done')
    assert.equal(pod!.inFlight, 0)
    assert.equal(test.clock.pendingTimers, 0)
  })
})
