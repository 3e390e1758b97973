// Manifests go up by server-side apply, and every outcome is told.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'

const path = '/apis/eventing.knative.dev/v1/namespaces/default/brokers/orders'
const missing = { status: 404, body: { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' } }
const manifest = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: orders}\n'
const stored = (revision: string, more: object = {}): object => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'orders', namespace: 'default', resourceVersion: revision },
  ...more,
})

describe('knode apply', () => {
  it('stops at once when it is told to, and says nothing of what was left', async () => {
    const stopping = new AbortController()
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${path}`]: () => {
        stopping.abort()
        return missing
      },
    })
    const input = [manifest, manifest, manifest].join('---\n')
    const result = await runInProcess(['apply', '-f', '-'], { server: api.url, input, signal: stopping.signal })
    assert.deepEqual([result.code, result.out], [130, ''])
    assert.doesNotMatch(result.err, /aborted/)
  })

  it('tells created, configured and unchanged apart, whatever controllers write meanwhile', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${path}`]: [missing, { body: stored('5') }, { body: stored('6', { spec: { a: 1 } }) }],
      [`PATCH ${path}`]: [
        { status: 201, body: stored('5') },
        { body: stored('6', { spec: { a: 1 } }) },
        { body: stored('8', { spec: { a: 1 }, status: { ready: true } }) },
      ],
    })
    for (const outcome of ['created', 'configured', 'unchanged']) {
      const result = await runInProcess(['apply', '-f', '-'], { server: api.url, input: manifest })
      assert.deepEqual(result, { code: 0, out: `broker.eventing.knative.dev/orders ${outcome}\n`, err: '' })
    }
    const sent = api.requests.find(({ line }) => line === `PATCH ${path}`)!
    assert.equal(sent.headers['content-type'], 'application/apply-patch+yaml')
    assert.deepEqual(sent.query, { fieldManager: 'knode', fieldValidation: 'Strict', force: 'false' })
    assert.deepEqual(sent.body, {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'orders', namespace: 'default' },
    })
  })

  it('takes what get -o yaml prints: fields that only the server sets stay at home', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${path}`]: { body: stored('5') },
      [`PATCH ${path}`]: { body: stored('5') },
    })
    const printed = '{name: orders, uid: u, resourceVersion: "3", generation: 2, labels: {a: b}}'
    const exported = manifest.replace('{name: orders}', printed)
    await runInProcess(['apply', '-f', '-'], { server: api.url, input: exported })
    const { metadata } = api.requests.at(-1)!.body as { metadata: object }
    assert.deepEqual(metadata, { name: 'orders', namespace: 'default', labels: { a: 'b' } })
  })

  it('applies Namespaces first, and passes --dry-run and --force-conflicts on', async () => {
    const input = `${manifest.replace('{name: orders}', '{name: orders, namespace: shop}')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n`
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      'PATCH /api/v1/namespaces/shop': { status: 201, body: { metadata: {} } },
      [`PATCH ${path.replace('default', 'shop')}`]: { status: 201, body: { metadata: {} } },
    })
    const words = ['apply', '-f', '-', '--dry-run', '--force-conflicts']
    const { out } = await runInProcess(words, { server: api.url, input })
    assert.equal(
      out,
      'namespace/shop created (server dry run)\nbroker.eventing.knative.dev/orders created (server dry run)\n',
    )
    assert.deepEqual(api.requests.at(-1)!.query, {
      fieldManager: 'knode',
      fieldValidation: 'Strict',
      force: 'true',
      dryRun: 'All',
    })
  })

  it('applies what is good, tells all that is bad with its place, and fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'knode-apply-'))
    const file = join(folder, 'shop.yaml')
    await writeFile(
      file,
      [
        'kind: Broker\n',
        manifest.replace('orders', 'refused'),
        manifest.replace('Broker', 'Borker'),
        manifest.replace('/v1', '/v1alpha1'),
        manifest.replace('{name: orders}', '{name: orders, namespace: shop}'),
        manifest,
      ].join('---\n'),
    )
    const refusal = {
      kind: 'Status',
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.broker',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.broker' }] },
    }
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`PATCH ${path.replace('orders', 'refused')}`]: { status: 409, body: refusal },
      [`PATCH ${path}`]: {
        status: 201,
        body: stored('5'),
        headers: { warning: '299 - "unknown field \\"spec.foo\\""' },
      },
    })
    const { code, out, err } = await runInProcess(['apply', '-f', file, '-n', 'default'], { server: api.url })
    assert.equal(code, 1)
    assert.equal(out, 'broker.eventing.knative.dev/orders created\n')
    assert.deepEqual(err.replaceAll(file, 'FILE').split('\n'), [
      'knode: FILE document 1: apiVersion is missing or no text',
      'knode: FILE document 2: Broker refused: Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.broker',
      '  take these fields over with --force-conflicts, or leave them out of the manifest',
      'knode: FILE document 3: Borker orders: no matches for kind "Borker" in version "eventing.knative.dev/v1"',
      '  did you mean Broker?',
      'knode: FILE document 4: Broker orders: no matches for kind "Broker" in version "eventing.knative.dev/v1alpha1"',
      '  Broker is known as eventing.knative.dev/v1',
      'knode: FILE document 5: Broker orders: its namespace is "shop", but -n says "default"',
      'Warning: unknown field "spec.foo"',
      '',
    ])
    await rm(folder, { recursive: true })
  })
})
