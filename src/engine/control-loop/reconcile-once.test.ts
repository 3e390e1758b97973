import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import type { KindDeps, ReconcileContext } from '../reconciler.ts'
import { reconcileOnce } from './reconcile-once.ts'
import { aKind, anObject } from './small-world.ts'

type Reconcile = (lamp: Resource, context: ReconcileContext, deps: KindDeps) => Promise<void> | void

const lampKind = (reconcile: Reconcile): KindDefinition =>
  aKind('Lamp', undefined, {
    reconciler: (deps) => ({
      conditions: { dependents: ['Lit'] },
      reconcile: async (lamp, context) => await reconcile(lamp, context, deps),
      finalize: async (_, context) => context.event('Normal', 'Gone', 'good bye'),
    }),
  })

const desk = anObject('Lamp', 'desk')

describe('reconcileOnce shows what a reconcile came to', () => {
  test('status, conditions, events and waits', async () => {
    const kind = lampKind((lamp, { conditions, ...context }) => {
      lamp.status = { watts: 40 }
      conditions.markFalse('Lit', 'NoBulb', 'there is no bulb')
      context.event('Warning', 'Dark', 'it is dark')
      context.requeueAfter(5000)
      context.requeueAfter(1000)
    })
    const run = await reconcileOnce(desk, { kind })
    assert.equal((run.status as { watts?: number }).watts, 40)
    assert.deepEqual(run.condition('Ready'), { status: 'False', reason: 'NoBulb', message: 'there is no bulb' })
    assert.equal(run.condition('Unheard'), undefined)
    assert.deepEqual(run.events, [{ type: 'Warning', reason: 'Dark', message: 'it is dark' }])
    assert.equal(run.requeueAfterMs, 1000)
    assert.equal(run.thrown, undefined)
  })

  test('what it read, resolved, applied and removed', async () => {
    const kind = lampKind(async (_, context) => {
      const plugs = context.list('Plug.test.knode.dev', 'shop').map(({ metadata }) => metadata.name)
      const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }
      const { url } = context.resolve({ ref: broker }, 'shop')
      await context.apply(anObject('Plug', 'child', { spec: { plugs, url } }))
      await context.remove('Plug.test.knode.dev', 'shop', 'old')
    })
    const broker = {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'default', namespace: 'shop' },
      status: { address: { url: 'http://broker.example' } },
    }
    const run = await reconcileOnce(desk, { kind, stored: [broker, anObject('Plug', 'old')] })
    assert.deepEqual(run.applied[0]?.spec, { plugs: ['old'], url: 'http://broker.example' })
    assert.deepEqual(run.removed, ['Plug.test.knode.dev shop/old'])
    assert.deepEqual(
      (await run.stored()).map((object) => `${object.kind} ${object.metadata.name}`),
      ['Broker default', 'Lamp desk', 'Plug child'],
    )
  })

  test('a target that is missing, in the words users will read', async () => {
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }
    const run = await reconcileOnce(desk, {
      kind: lampKind((_, context) => void context.resolve({ ref: broker }, 'shop')),
    })
    assert.match(
      String(run.thrown),
      /failed to get object shop\/default: brokers.eventing.knative.dev "default" not found/,
    )
  })

  test('the workers that would run, which it does not start unless asked', async () => {
    const diary: string[] = []
    const kind = lampKind(async (_, { workers }) => {
      await workers.stop('old')
      await workers.ensure('bulb', { watts: 40 }, async ({ watts }) => {
        diary.push(`on ${watts}`)
        return { [Symbol.asyncDispose]: async () => void diary.push('off') }
      })
    })
    const run = await reconcileOnce(desk, {
      kind,
      workers: new Map([
        ['old', 1],
        ['kept', 2],
      ]),
    })
    assert.deepEqual(
      run.workers,
      new Map<string, unknown>([
        ['kept', 2],
        ['bulb', { watts: 40 }],
      ]),
    )
    assert.deepEqual(diary, [])
    await reconcileOnce(desk, { kind, startWorkers: true })
    assert.deepEqual(diary, ['on 40', 'off'])
  })

  test('configuration out of stored ConfigMaps, and a clear word about parts that are not there', async () => {
    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'lamps', namespace: 'shop' },
      data: { a: '1' },
    }
    const seen: unknown[] = []
    const kind = lampKind(async (_, __, { config, transport }) => {
      seen.push(config.data('shop', 'lamps'), config.data('shop', 'none'))
      await transport.ensureStream('x')
    })
    const run = await reconcileOnce(desk, { kind, stored: [settings] })
    assert.deepEqual(seen, [{ a: '1' }, {}])
    assert.match(String(run.thrown), /the test gave no deps.transport, but ensureStream was called/)
  })

  test('a second run goes on where the first left off', async () => {
    const kind = lampKind(async (_, { conditions, ...context }) => {
      const child = await context.apply(anObject('Plug', 'child', { spec: { on: true } }))
      if (child.metadata.generation === 1) conditions.markTrue('Lit')
    })
    const first = await reconcileOnce(desk, { kind })
    const second = await reconcileOnce(first.object, { kind, stored: first.applied })
    assert.deepEqual(second.object.status, first.object.status)
  })

  test('finalize in place of reconcile', async () => {
    const run = await reconcileOnce(desk, { kind: lampKind(() => assert.fail('not now')), finalize: true })
    assert.deepEqual(run.events, [{ type: 'Normal', reason: 'Gone', message: 'good bye' }])
    assert.equal(run.thrown, undefined)
  })
})
