import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import type { Reconciler } from '../reconciler.ts'
import { openCaches } from './caches.ts'
import { FakeClient } from './fake-client.ts'
import { fakeDeps } from './reconcile-once.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import { startControllers } from './start-controllers.ts'

/** Each object creates the next of a chain, kind by kind. */
const creating = (kind: string): Reconciler => ({
  async reconcile({ metadata }, context) {
    await context.apply(anObject(kind, metadata.name))
  },
})

describe('the control loop', () => {
  test('is settled when a chain of kinds that create each other has come to its end', async () => {
    await using world = await startSmallWorld({
      kinds: [aKind('A', creating('B')), aKind('B', creating('C')), aKind('C', creating('D')), aKind('D')],
    })
    await world.client.create(anObject('A', 'x'))
    await world.settled()
    assert.notEqual(world.caches.get('D.test.knode.dev', 'shop', 'x'), undefined)
  })

  test('tells how long reconciles took and how many objects wait', async () => {
    await using world = await startSmallWorld({
      kinds: [aKind('A', creating('B')), aKind('B')],
      stored: [anObject('A', 'x')],
    })
    await world.settled()
    const text = world.metrics.prometheus()
    assert.match(text, /kn_workqueue_process_duration_seconds_count\{name="A.test.knode.dev"\} [1-9]/)
    assert.match(text, /kn_workqueue_depth\{name="A.test.knode.dev"\} 0/)
  })

  test('reconciles no more than so many objects of a kind at a time', async () => {
    let running = 0
    let most = 0
    const slow: Reconciler = {
      async reconcile() {
        most = Math.max(most, ++running)
        await settle()
        running--
      },
    }
    const stored = Array.from({ length: 10 }, (_, index) => anObject('A', `x${index}`))
    await using world = await startSmallWorld({ kinds: [aKind('A', slow)], stored })
    await world.settled()
    assert.equal(most, 4)
  })

  test('stops: what comes later is not reconciled, and no timer stays', async () => {
    let reconciles = 0
    const counting: Reconciler = {
      async reconcile(_, context) {
        reconciles++
        context.requeueAfter(1000)
      },
    }
    const world = await startSmallWorld({ kinds: [aKind('A', counting)], stored: [anObject('A', 'x')] })
    await world.settled()
    await world[Symbol.asyncDispose]()
    await world.client.create(anObject('A', 'y'))
    await world.clock.advance(60_000)
    assert.equal(reconciles, 1)
    assert.equal(world.clock.pendingTimers, 0)
    await world[Symbol.asyncDispose]()
  })

  test('stops in time although a reconcile and a worker hang, and tells of both', async () => {
    const never = new Promise<never>(() => undefined)
    const hanging: Reconciler = { reconcile: () => never }
    const working: Reconciler = {
      reconcile: (_, { workers }) => workers.ensure('w', {}, async () => ({ [Symbol.asyncDispose]: () => never })),
    }
    const kinds = [aKind('A', hanging), aKind('B', working)]
    const world = await startSmallWorld({ kinds, stored: [anObject('A', 'x'), anObject('B', 'y')] })
    await settle(10)
    let stopped = false
    const stopping = world[Symbol.asyncDispose]().then(() => (stopped = true))
    await world.clock.advance(9_999)
    assert.equal(stopped, false)
    await world.clock.advance(1)
    await stopping
    assert.match(world.warnings.join('\n'), /reconciles that do not end are left behind.*shop\/x/)
    assert.match(world.warnings.join('\n'), /workers that do not stop are left behind.*shop\/y/)
  })

  test('a kind whose reconciler cannot be made stops the start, and what had begun', async () => {
    const clock = new FakeClock()
    const store = await openResourceStore({ driver: 'memory' })
    const broken = aKind('B', undefined, {
      reconciler: () => {
        throw new Error('no license')
      },
    })
    const kinds = [aKind('A', creating('B')), broken]
    await using caches = await openCaches({ store, kinds, clock, log: silentLogger })
    const client = new FakeClient({ store, clock, kinds })
    const deps = fakeDeps({ clock, client, caches, endpoints: [] })
    await assert.rejects(startControllers({ kinds, caches, deps }), /no license/)
    await client.create<Resource>(anObject('A', 'x'))
    await settle()
    assert.deepEqual(await client.list('B.test.knode.dev'), [])
    assert.equal(clock.pendingTimers, 0)
  })
})
