// Deletion by name and by manifest, and the wait for finalizers.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/default/triggers'
const gone = { body: { kind: 'Status', status: 'Success', details: { uid: 'u' } } }
const missing = (name: string) => ({
  status: 404,
  body: {
    kind: 'Status',
    code: 404,
    reason: 'NotFound',
    message: `triggers.eventing.knative.dev "${name}" not found`,
    details: { kind: 'triggers', group: 'eventing.knative.dev' },
  },
})

describe('knode delete', () => {
  it('deletes in the background what is named, and tells each', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`DELETE ${triggers}/a`]: gone,
      [`DELETE ${triggers}/b`]: gone,
    })
    const result = await runInProcess(['delete', 'trigger', 'a', 'b'], { server: api.url })
    assert.deepEqual(result, {
      code: 0,
      out: 'trigger.eventing.knative.dev "a" deleted\ntrigger.eventing.knative.dev "b" deleted\n',
      err: '',
    })
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }
    assert.deepEqual(api.requests.at(-1)!.body, body)
  })

  it('waits until an object that lingers is gone, or another of its name is there', async () => {
    const lingering = { metadata: { name: 'a', uid: 'u', resourceVersion: '5', finalizers: ['x'] } }
    for (const event of [
      { type: 'DELETED', object: lingering },
      { type: 'ADDED', object: { metadata: { name: 'a', uid: 'another', resourceVersion: '9' } } },
    ]) {
      await using api = await startScriptedApi({
        ...scriptedDiscovery,
        [`DELETE ${triggers}/a`]: { body: lingering },
        [`GET ${triggers}`]: [{ body: { items: [lingering], metadata: { resourceVersion: '6' } } }, { lines: [event] }],
      })
      assert.equal((await runInProcess(['delete', 'trigger/a'], { server: api.url })).code, 0)
      assert.equal(api.requests.at(-1)!.query['watch'], 'true')
      const unhurried = await runInProcess(['delete', 'trigger/a', '--no-wait'], { server: api.url })
      assert.equal(unhurried.code, 0)
    }
  })

  it('goes on after one that is not there, and fails unless told that this is fine', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`DELETE ${triggers}/a`]: missing('a'),
      [`DELETE ${triggers}/b`]: gone,
    })
    const { code, out, err } = await runInProcess(['delete', 'trigger', 'a', 'b'], { server: api.url })
    assert.deepEqual([code, out], [1, 'trigger.eventing.knative.dev "b" deleted\n'])
    assert.match(err, /^knode: triggers\.eventing\.knative\.dev "a" not found\n  knode get triggers\.eventing/)
    const tolerant = await runInProcess(['delete', 'trigger', 'a', '--ignore-not-found'], { server: api.url })
    assert.deepEqual(tolerant, { code: 0, out: '', err: '' })
  })

  it('by manifest deletes in the manifest’s own namespace', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`DELETE ${triggers.replace('default', 'shop')}/a`]: gone,
    })
    const input = 'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: a, namespace: shop}\n'
    assert.equal((await runInProcess(['delete', '-f', '-'], { server: api.url, input })).code, 0)
  })

  it('never deletes all of a kind by accident', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${triggers}`]: { body: { items: [{ metadata: { name: 'a' } }] } },
      [`DELETE ${triggers}/a`]: gone,
    })
    const { code, err } = await runInProcess(['delete', 'trigger'], { server: api.url })
    assert.deepEqual([code, err], [2, 'knode: which triggers? None is named\n  name them, or add --all\n'])
    assert.ok(!api.requests.some(({ line }) => line.startsWith('DELETE')))
    const all = await runInProcess(['delete', 'trigger', '--all'], { server: api.url })
    assert.deepEqual([all.code, all.out], [0, 'trigger.eventing.knative.dev "a" deleted\n'])
    assert.equal((await runInProcess(['delete'], { server: api.url })).code, 2)
    assert.equal((await runInProcess(['delete', 'trigger', 'a', '-f', 'x'], { server: api.url })).code, 2)
  })

  it('has all on their way before it waits for one, what is in a Namespace before the Namespace', async () => {
    const lingering = { metadata: { name: 'x', uid: 'u', resourceVersion: '5', finalizers: ['x'] } }
    const shop = triggers.replace('default', 'shop')
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      'DELETE /api/v1/namespaces/shop': { body: lingering },
      [`DELETE ${shop}/a`]: { body: lingering },
      [`DELETE ${shop}/b`]: gone,
      'GET /api/v1/namespaces': { body: { items: [], metadata: { resourceVersion: '6' } } },
      [`GET ${shop}`]: { body: { items: [], metadata: { resourceVersion: '6' } } },
    })
    const trigger = (name: string): string =>
      `apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: ${name}, namespace: shop}\n`
    const input = `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n${trigger('a')}---\n${trigger('b')}`
    const { code, out } = await runInProcess(['delete', '-f', '-'], { server: api.url, input })
    assert.equal(code, 0)
    assert.deepEqual(
      api.requests.slice(2).map(({ line }) => line),
      [
        `DELETE ${shop}/a`,
        `DELETE ${shop}/b`,
        'DELETE /api/v1/namespaces/shop',
        `GET ${shop}`,
        'GET /api/v1/namespaces',
      ],
    )
    assert.deepEqual(out.match(/"\w+"/g), ['"a"', '"b"', '"shop"'])
  })

  it('goes on after a manifest whose kind is unknown, or whose namespace is another than -n says', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, [`DELETE ${triggers}/c`]: gone })
    const input = [
      'apiVersion: demo.example/v1\nkind: Lamp\nmetadata: {name: a}\n',
      'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: b, namespace: shop}\n',
      'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: c}\n',
    ].join('---\n')
    const words = ['delete', '-f', '-', '-n', 'default']
    const { code, out, err } = await runInProcess(words, { server: api.url, input })
    assert.deepEqual([code, out], [1, 'trigger.eventing.knative.dev "c" deleted\n'])
    assert.match(
      err,
      /^knode: standard input document 1: Lamp a: no matches for kind "Lamp" in version "demo\.example\/v1"$/m,
    )
    assert.match(err, /document 2: Trigger b: its namespace is "shop", but -n says "default"$/m)
    assert.ok(!api.requests.some(({ line }) => line.includes('/b')))
  })

  it('with --all takes it well when objects go with those deleted before them', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${triggers}`]: { body: { items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] } },
      [`DELETE ${triggers}/a`]: gone,
      [`DELETE ${triggers}/b`]: missing('b'),
    })
    const result = await runInProcess(['delete', 'trigger', '--all'], { server: api.url })
    assert.deepEqual(result, { code: 0, out: 'trigger.eventing.knative.dev "a" deleted\n', err: '' })
  })
})
