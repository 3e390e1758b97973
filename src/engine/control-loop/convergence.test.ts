import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { KResourceStatus } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ReconcileContext, Reconciler } from '../reconciler.ts'
import { isConflict } from './api-failure.ts'
import type { FakeClient } from './fake-client.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import type { SmallWorld } from './small-world.ts'

interface Lamp extends Resource {
  spec: { watts: number }
  status?: KResourceStatus & { power: number; plugs: number }
}
interface Plug extends Resource {
  spec: { power: number }
}

const lampId = 'Lamp.test.knode.dev'
const plugId = 'Plug.test.knode.dev'
const shadeId = 'Shade.test.knode.dev'
const names = ['a', 'b', 'c']
const historiesMax = 300
const stepsMax = 25

/** Shows in its status, in a child and in a worker what it read: whatever is missed or stale is seen afterwards. */
function mirror(running: Map<string, string>): Reconciler<Lamp> {
  return {
    conditions: { dependents: ['Lit'] },
    async reconcile(lamp: Lamp, context: ReconcileContext) {
      const { name, uid } = lamp.metadata
      const power = context.get<Plug>(plugId, 'shop', name)?.spec.power ?? 0
      const plugs = context.list(plugId, 'shop').length
      lamp.status = { ...lamp.status, power, plugs }
      await context.apply(
        anObject('Shade', name, { spec: { watts: lamp.spec.watts }, metadata: { ownerReferences: [ownerRef(lamp)] } }),
      )
      await context.workers.ensure('bulb', { uid, watts: lamp.spec.watts, power }, async (spec) => {
        assert.equal(running.has(name), false, `two workers of ${name} run at a time`)
        running.set(name, JSON.stringify(spec))
        return {
          async [Symbol.asyncDispose]() {
            await settle(1)
            running.delete(name)
          },
        }
      })
      if (power > 0) context.conditions.markTrue('Lit')
      else context.conditions.markFalse('Lit', 'NoPower', 'no power')
    },
    finalize: () => Promise.resolve(),
  }
}

const ownerRef = ({ apiVersion, kind, metadata: { name, uid = '' } }: Resource): object => ({
  apiVersion,
  kind,
  name,
  uid,
})

/** Calls take a random number of turns, so that all that can overtake does so now and then. */
function slowed(client: FakeClient, next: () => number): FakeClient {
  return new Proxy(client, {
    get(target, property) {
      const method = Reflect.get(target, property) as (...values: unknown[]) => Promise<unknown>
      return async (...values: unknown[]) => {
        await settle(Math.floor(next() * 3))
        const result = await method.apply(target, values)
        await settle(Math.floor(next() * 3))
        return result
      }
    },
  })
}

async function runHistory(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const next = (): number => random.next()
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)]!
  const running = new Map<string, string>()
  let fake: FakeClient | undefined
  await using world = await startSmallWorld({
    kinds: [aKind('Lamp', mirror(running)), aKind('Plug'), aKind('Shade')],
    clientOver: (client) => slowed((fake = client), next),
  })
  const client = fake!
  const steps: (() => Promise<unknown>)[] = [
    () => client.create(anObject('Lamp', pick(names), { spec: { watts: Math.ceil(next() * 100) } })),
    () => client.create(anObject('Plug', pick(names), { spec: { power: Math.ceil(next() * 9) } })),
    () => client.patch(lampId, 'shop', pick(names), { spec: { watts: Math.ceil(next() * 100) } }),
    () => client.patch(lampId, 'shop', pick(names), { metadata: { labels: { a: String(next()) } } }),
    () => client.patch(plugId, 'shop', pick(names), { spec: { power: Math.floor(next() * 9) } }),
    () => client.patch(shadeId, 'shop', pick(names), { spec: { watts: 0 } }),
    () => client.delete(lampId, 'shop', pick(names)),
    () => client.delete(plugId, 'shop', pick(names)),
    () => client.delete(shadeId, 'shop', pick(names)),
    () => world.clock.advance(next() * 200),
  ]
  for (let step = 0; step < stepsMax; step++) {
    await pick(steps)().catch((thrown: { code?: number }) => {
      if (thrown.code !== 404 && !isConflict(thrown)) throw thrown
    })
    await settle(Math.floor(next() * 4))
  }
  await world.advance(300_000)
  await assertConverged(world, client, running)
}

async function assertConverged(world: SmallWorld, client: FakeClient, running: Map<string, string>): Promise<void> {
  const lamps = await client.list<Lamp>(lampId, 'shop')
  const plugs = await client.list<Plug>(plugId, 'shop')
  const shades = await client.list<Lamp>(shadeId, 'shop')
  for (const { metadata, spec, status } of lamps) {
    const { name, uid, generation } = metadata
    const power = plugs.find((plug) => plug.metadata.name === name)?.spec.power ?? 0
    assert.equal(metadata.deletionTimestamp, undefined, `${name} lingers`)
    assert.deepEqual(
      [status?.power, status?.plugs, status?.observedGeneration],
      [power, plugs.length, generation],
      name,
    )
    assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, power > 0 ? 'True' : 'False', name)
    assert.equal(running.get(name), JSON.stringify({ uid, watts: spec.watts, power }), `the worker of ${name}`)
    assert.equal(shades.find((shade) => shade.metadata.name === name)?.spec.watts, spec.watts, `the shade of ${name}`)
  }
  assert.deepEqual(
    [...running.keys()].sort(),
    lamps.map(({ metadata }) => metadata.name),
  )
  assert.deepEqual(
    shades.map(({ metadata }) => metadata.name),
    lamps.map(({ metadata }) => metadata.name),
  )
  // The fake clock runs on while calls take their turns.
  assert.deepEqual(
    world.warnings.filter((line) => !line.includes('takes long')),
    [],
  )
}

test(`whatever happens in whatever order, all objects come to rest where they should (${historiesMax} histories)`, async (t) => {
  const seedOnly = process.env['KNODE_SEED']
  const seeds = seedOnly === undefined ? Array.from({ length: historiesMax }, (_, seed) => seed) : [Number(seedOnly)]
  for (const seed of seeds) {
    await runHistory(seed).catch((thrown: Error) => {
      t.diagnostic(`repeat with KNODE_SEED=${seed}`)
      throw thrown
    })
  }
})
