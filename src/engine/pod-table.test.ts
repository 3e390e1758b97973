import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { createPodTable } from './pod-table.ts'
import type { PodPresence } from './serving.ts'

const aPod = (name: string, presence: Partial<PodPresence> = {}): PodPresence => ({
  namespace: 'default',
  name,
  uid: `uid-of-${name}`,
  labels: { app: 'shop', tier: 'front' },
  host: '127.0.0.1',
  ports: new Map([[8080, 30_001]]),
  portNames: new Map([['http', 8080]]),
  isReady: true,
  ...presence,
})

const setUp = (): { clock: FakeClock; pods: ReturnType<typeof createPodTable> } => {
  const clock = new FakeClock()
  return { clock, pods: createPodTable({ clock }) }
}

describe('selecting Pods', () => {
  it('gives those with all the labels, in their namespace, ready or not, by name', () => {
    const { pods } = setUp()
    pods.register(aPod('c', { isReady: false }))
    pods.register(aPod('a'))
    pods.register(aPod('b', { labels: { app: 'shop' } }))
    pods.register(aPod('d', { namespace: 'other' }))
    const names = (selector: Record<string, string>): string[] =>
      pods.select('default', selector).map(({ name }) => name)
    assert.deepEqual(names({ app: 'shop', tier: 'front' }), ['a', 'c'])
    assert.deepEqual(names({ app: 'shop' }), ['a', 'b', 'c'])
    assert.deepEqual(names({ app: 'bank' }), [])
    assert.deepEqual(names({}), [])
  })

  it('tells where a Pod is reached, also after that has changed', () => {
    const { pods } = setUp()
    const registered = pods.register(aPod('a'))
    const [pod] = pods.select('default', { app: 'shop' })
    assert.deepEqual([pod!.host, pod!.portOf(8080), pod!.namedPort('http')], ['127.0.0.1', 30_001, 8080])
    assert.deepEqual([pod!.portOf(9090), pod!.namedPort('grpc')], [undefined, undefined])
    registered.update({ host: '::1', ports: new Map([[8080, 30_002]]) })
    assert.deepEqual([pod!.host, pod!.portOf(8080)], ['::1', 30_002])
  })

  it('knows no Pod that was removed, and keeps a namesake that came after it', () => {
    const { pods } = setUp()
    const old = pods.register(aPod('a', { uid: '1' }))
    pods.register(aPod('a', { uid: '2' }))
    old.remove()
    assert.deepEqual(
      pods.select('default', { app: 'shop' }).map(({ uid }) => uid),
      ['2'],
    )
  })
})

describe('watching Pods', () => {
  it('tells of coming, readiness, labels and going, and of nothing that is as it was', () => {
    const { pods } = setUp()
    let calls = 0
    using _watch = pods.watch('default', { app: 'shop', tier: 'front' }, () => void calls++)
    const seen = (act: () => void): number => {
      calls = 0
      act()
      return calls
    }
    let pod = pods.register(aPod('z', { labels: { app: 'shop' } }))
    assert.equal(calls, 0)
    pod = pods.register(aPod('a', { isReady: false }))
    assert.equal(calls, 1)
    assert.equal(
      seen(() => pod.update({ isReady: true })),
      1,
    )
    assert.equal(
      seen(() => pod.update({ isReady: true })),
      0,
    )
    assert.equal(
      seen(() => pod.update({ labels: { app: 'bank' } })),
      1,
    )
    assert.equal(
      seen(() => pod.update({ isReady: false })),
      0,
    )
    assert.equal(
      seen(() => pod.update({ labels: { app: 'shop', tier: 'front' } })),
      1,
    )
    assert.equal(
      seen(() => pod.remove()),
      1,
    )
    assert.equal(
      seen(() => pod.remove()),
      0,
    )
    assert.equal(
      seen(() => pod.update({ isReady: true })),
      0,
    )
  })

  it('ends when it is disposed, also by another listener', () => {
    const { pods } = setUp()
    let calls = 0
    const second = { watch: undefined as Disposable | undefined }
    using _first = pods.watch('default', { app: 'shop' }, () => second.watch?.[Symbol.dispose]())
    second.watch = pods.watch('default', { app: 'shop' }, () => void calls++)
    pods.register(aPod('a'))
    pods.register(aPod('b'))
    assert.equal(calls, 0)
  })

  it('of an empty selector never tells anything', () => {
    const { pods } = setUp()
    using _watch = pods.watch('default', {}, () => assert.fail('called'))
    pods.register(aPod('a'))
  })
})

describe('draining a Pod', () => {
  it('takes it out of choice at once, and ends with its last request', async () => {
    const { pods, clock } = setUp()
    const registered = pods.register(aPod('a'))
    const [pod] = pods.select('default', { app: 'shop' })
    pod!.acquire()
    pod!.acquire()
    let isDrained = false
    const draining = registered.drain({ timeoutMs: 1_000 }).then(() => (isDrained = true))
    assert.equal(pod!.isReady, false)
    registered.update({ isReady: true })
    assert.equal(pod!.isReady, false)
    pod!.release()
    await settle()
    assert.equal(isDrained, false)
    pod!.release()
    await draining
    assert.equal(clock.pendingTimers, 0)
  })

  it('ends at its deadline, or when the Pod is gone, and at once when nothing is under way', async () => {
    const { pods, clock } = setUp()
    const registered = pods.register(aPod('a'))
    await registered.drain({ timeoutMs: 1_000 })
    pods.select('default', { app: 'shop' })[0]!.acquire()
    const late = registered.drain({ timeoutMs: 1_000 })
    await clock.advance(1_000)
    await late
    const gone = registered.drain({ timeoutMs: 1_000 })
    registered.remove()
    await gone
    await settle()
    assert.equal(clock.pendingTimers, 0)
  })
})

it('a Pod’s next release is told once, and to nobody who stopped listening', () => {
  const { pods } = setUp()
  pods.register(aPod('a'))
  const [pod] = pods.select('default', { app: 'shop' })
  let calls = 0
  pod!.onceReleased(() => void calls++)
  pod!.onceReleased(() => assert.fail('called'))[Symbol.dispose]()
  for (let at = 0; at < 2; at++) {
    pod!.acquire()
    pod!.release()
  }
  assert.deepEqual([calls, pod!.inFlight], [1, 0])
})
