// What every way of running a program must stand: a burst from zero, a canary, a rollback.
import assert from 'node:assert/strict'
import { eventually } from '../../src/base/eventually.ts'
import { patience } from './kubectl.ts'
import { aService, scalesToZero } from './serving-world.ts'
import type { ServiceOptions, World } from './serving-world.ts'

/** `count` requests find a Service at zero: each is answered 200. Then it goes to zero, and comes up again. */
export async function burstFromZero(world: World, program: ServiceOptions, count: number): Promise<void> {
  const { kubectl, apply, ready, ask } = world
  const zero = { [scalesToZero]: 'true', 'allow-zero-initial-scale': 'true', 'scale-to-zero-grace-period': '6s' }
  const patch = JSON.stringify({ data: zero })
  await kubectl.ok(['patch', 'cm', 'config-autoscaler', '-n', 'knative-serving', '--type=merge', '-p', patch])
  const annotations = { 'autoscaling.knative.dev/initial-scale': '0', 'autoscaling.knative.dev/window': '6s' }
  await apply(aService('burst', { ...program, annotations }))
  await ready('burst')
  assert.equal((await kubectl.ok(['get', 'pods', '-o', 'name'])).trim(), '', 'nothing runs before it is asked')
  const answers = await Promise.all(Array.from({ length: count }, () => ask('burst', '/?ms=50')))
  assert.deepEqual(
    answers.filter(({ status }) => status !== 200),
    [],
  )
  await kubectl.ok(['wait', '--for=delete', 'pod', '-l', 'serving.knative.dev/service=burst', patience])
  const revision = (): Promise<string> => kubectl.ok(['get', 'revision', 'burst-00001'])
  await eventually(async () => /True +0 +0/.test(await revision()), 'its Revision to tell of no instances')
  await ready('burst')
  assert.match((await ask('burst')).body, /^one \d+/, 'and comes up again')
}

/** Green takes a tenth of 2,000 requests and has an address of its own; then all goes back to blue, and nothing is lost. */
export async function canaryAndRollback(world: World, program: ServiceOptions): Promise<void> {
  const { kubectl, apply, ready, shares, ask } = world
  await apply(aService('shop', { ...program, target: 'blue', metadata: { name: 'shop-blue' } }))
  await ready('shop')
  const traffic = [
    { revisionName: 'shop-blue', percent: 90 },
    { revisionName: 'shop-green', percent: 10, tag: 'next' },
  ]
  await apply(aService('shop', { ...program, target: 'green', metadata: { name: 'shop-green' }, traffic }))
  await ready('shop')
  const split = await shares('shop', 2_000)
  assert.deepEqual([...split.keys()].toSorted(), ['blue', 'green'])
  const share = split.get('green')! / 2_000
  // Six standard deviations.
  assert.ok(share > 0.06 && share < 0.14, `${share * 100} % went to the canary`)
  assert.match((await ask('next-shop')).body, /^green/)

  const asking = shares('shop', 600)
  const back = JSON.stringify({ spec: { traffic: [{ revisionName: 'shop-blue', percent: 100 }] } })
  await kubectl.ok(['patch', 'ksvc', 'shop', '--type=merge', '-p', back])
  await kubectl.ok(['wait', '--for=jsonpath={.status.traffic[0].percent}=100', 'ksvc/shop', patience])
  const words = [...(await asking).keys()]
  assert.deepEqual(
    words.filter((word) => !['blue', 'green'].includes(word)),
    [],
  )
  assert.deepEqual([...(await shares('shop', 100)).entries()], [['blue', 100]])
}
