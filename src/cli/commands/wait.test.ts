// Waiting ends when the state is there, and says what is missing when it is not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'
import type { ScriptedAnswer } from '../../../test/harness/scripted-api.ts'

const path = 'GET /apis/eventing.knative.dev/v1/namespaces/default/brokers'
const aBroker = (
  status: string,
  extra: { generation?: number; observed?: number; reason?: string; message?: string } = {},
): object => ({
  metadata: { name: 'b', resourceVersion: '5', uid: 'u', generation: extra.generation ?? 1 },
  status: {
    observedGeneration: extra.observed ?? 1,
    conditions: [{ type: 'Ready', status, reason: extra.reason, message: extra.message }],
  },
})
const aList = (...items: object[]): ScriptedAnswer => ({ body: { items, metadata: { resourceVersion: '7' } } })

describe('knode wait', () => {
  it('ends at once when the condition is met', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, [path]: aList(aBroker('True')) })
    const result = await runInProcess(['wait', 'broker/b'], { server: api.url })
    assert.deepEqual(result, { code: 0, out: 'broker.eventing.knative.dev/b condition met\n', err: '' })
    assert.deepEqual(api.requests.at(-1)!.query, { fieldSelector: 'metadata.name=b' })
  })

  it('follows the object until it is, over a stale state and history that is gone', async () => {
    const gone = {
      lines: [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }],
    }
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [path]: [
        aList(),
        gone,
        aList(aBroker('True', { generation: 2, observed: 1 })),
        {
          lines: [
            '',
            { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
            { type: 'MODIFIED', object: aBroker('True') },
          ],
        },
      ],
    })
    const { code, out } = await runInProcess(['wait', 'broker', 'b', '--for=condition=Ready'], { server: api.url })
    assert.deepEqual([code, out], [0, 'broker.eventing.knative.dev/b condition met\n'])
    assert.equal(api.requests.at(-1)!.query['resourceVersion'], '7')
  })

  it('waits for False and for deletion, too', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [path]: [
        aList(aBroker('False')),
        aList(aBroker('True')),
        { lines: [{ type: 'DELETED', object: aBroker('True') }] },
      ],
    })
    assert.equal((await runInProcess(['wait', 'broker/b', '--for=condition=Ready=False'], { server: api.url })).code, 0)
    const deleted = await runInProcess(['wait', 'broker/b', '--for=delete'], { server: api.url })
    assert.deepEqual([deleted.code, deleted.out], [0, 'broker.eventing.knative.dev/b deleted\n'])
  })

  it('tells the state it came to when time is up', async () => {
    const rows: [ScriptedAnswer, string[], string][] = [
      [
        aList(aBroker('False', { reason: 'NoAddress', message: 'no channel' })),
        [],
        'knode: timed out waiting for the condition on brokers/b: Ready is False (NoAddress: no channel)\n  knode describe broker b -n default\n',
      ],
      [
        aList(),
        [],
        'knode: timed out waiting for the condition on brokers/b: it does not exist\n  knode get broker -A\n',
      ],
      [
        aList(aBroker('True')),
        ['--for=condition=Addressable'],
        'knode: timed out waiting for the condition on brokers/b: it has no condition Addressable\n  knode describe broker b -n default\n',
      ],
      [
        aList(aBroker('True')),
        ['--for=delete'],
        'knode: timed out waiting for brokers/b to be deleted\n  knode describe broker b -n default\n',
      ],
    ]
    for (const [list, words, err] of rows) {
      await using api = await startScriptedApi({ ...scriptedDiscovery, [path]: [list, { lines: [] }] })
      const clock = new FakeClock()
      const waiting = runInProcess(['wait', 'broker/b', '--timeout', '10s', ...words], { server: api.url, clock })
      while (api.requests.length < 4) await settle()
      await clock.advance(10_000)
      assert.deepEqual(await waiting, { code: 1, out: '', err })
    }
  })

  it('looks at what it did not come to before time was up', async () => {
    const triggers = 'GET /apis/eventing.knative.dev/v1/namespaces/default/triggers'
    const services = 'GET /apis/serving.knative.dev/v1/namespaces/default/services'
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [path]: [aList(aBroker('Unknown')), { lines: [] }],
      [triggers]: aList(aBroker('True')),
      [services]: aList(aBroker('False', { reason: 'NoImage' })),
    })
    const clock = new FakeClock()
    const words = ['wait', 'broker/b', 'trigger/b', 'ksvc/b', '--timeout', '10s']
    const waiting = runInProcess(words, { server: api.url, clock })
    while (api.requests.length < 4) await settle()
    await clock.advance(10_000)
    const { code, out, err } = await waiting
    assert.deepEqual([code, out], [1, 'trigger.eventing.knative.dev/b condition met\n'])
    assert.match(err, /brokers\/b: Ready is Unknown\n/)
    assert.match(err, /services\/b: Ready is False \(NoImage\)\n {2}knode describe ksvc b -n default\n$/)
  })

  it('refuses goals it does not know', async () => {
    const { code, err } = await runInProcess(['wait', 'broker/b', '--for=ready'])
    assert.deepEqual(
      [code, err],
      [2, 'knode: --for: "ready" is no goal\n  write condition=Ready, condition=Ready=False or delete\n'],
    )
  })

  it('leaves nothing behind that would keep the process, when the server goes away', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, [path]: { hangUp: true } })
    const clock = new FakeClock()
    const { code, err } = await runInProcess(['wait', 'broker/b', '--timeout', '10m'], { server: api.url, clock })
    assert.deepEqual([code, err.split('\n')[0]], [1, `knode: no answer from ${api.url}: the connection broke`])
    assert.equal(clock.pendingTimers, 0)
  })

  it('of all objects where there are none fails, unless they are to be deleted', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, [path]: aList() })
    const ready = await runInProcess(['wait', 'broker', '--all'], { server: api.url })
    assert.deepEqual([ready.code, ready.err], [1, 'knode: there is nothing to wait for: no object was found\n'])
    assert.equal((await runInProcess(['wait', 'broker', '--all', '--for=delete'], { server: api.url })).code, 0)
  })

  it('for manifests refuses those of another namespace than -n says, by name', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, [path]: aList(aBroker('True')) })
    const input = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: b, namespace: shop}\n'
    const { code, err } = await runInProcess(['wait', '-f', '-', '-n', 'default'], { server: api.url, input })
    assert.deepEqual(
      [code, err],
      [1, 'knode: standard input: Broker b: its namespace is "shop", but -n says "default"\n'],
    )
  })
})
