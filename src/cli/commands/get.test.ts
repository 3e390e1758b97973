// Tables, texts and watches, as kubectl's users know them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'
import type { ScriptedAnswer } from '../../../test/harness/scripted-api.ts'

const brokersPath = '/apis/eventing.knative.dev/v1/namespaces/default/brokers'
const triggersPath = '/apis/eventing.knative.dev/v1/namespaces/default/triggers'

const columnDefinitions = [
  { name: 'Name', type: 'string', priority: 0 },
  { name: 'Ready', type: 'string', priority: 0 },
  { name: 'Class', type: 'string', priority: 1 },
]

const aTable = (...rows: [name: string, ready: string | null, wide?: string][]): ScriptedAnswer => ({
  body: {
    kind: 'Table',
    metadata: { resourceVersion: '7' },
    columnDefinitions,
    rows: rows.map((cells) => ({ cells, object: { metadata: { name: cells[0], namespace: 'default' } } })),
  },
})

const anObject = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'orders', managedFields: [{ manager: 'knode' }], annotations: { on: 'yes' } },
}

describe('knode get', () => {
  it('prints the server’s table in columns, titles in capitals', async () => {
    const script = { ...scriptedDiscovery, [`GET ${brokersPath}`]: aTable(['orders', 'True', 'x'], ['b', null, 'y']) }
    await using api = await startScriptedApi(script)
    const { out, code } = await runInProcess(['get', 'broker'], { server: api.url })
    assert.equal(code, 0)
    assert.equal(out, 'NAME     READY\norders   True\nb        \n')
    assert.match(api.requests.at(-1)!.headers['accept']!, /^application\/json;as=Table;v=v1;g=meta\.k8s\.io/)
    const wide = await runInProcess(['get', 'brokers.eventing.knative.dev', '-o', 'wide'], { server: api.url })
    assert.equal(wide.out, 'NAME     READY   CLASS\norders   True    x\nb                y\n')
    const pretty = await runInProcess(['get', 'Broker'], { server: api.url, isTerminal: true })
    assert.match(pretty.out, /^<bold>NAME<\/> {5}<bold>READY<\/>\norders {3}<green>True<\/>\n/)
  })

  it('puts the namespace first with -A, and asks across all', async () => {
    const script = { ...scriptedDiscovery, 'GET /apis/eventing.knative.dev/v1/brokers': aTable(['orders', 'True']) }
    await using api = await startScriptedApi(script)
    const { out } = await runInProcess(['get', 'broker', '-A', '-l', 'app=x'], { server: api.url })
    assert.equal(out, 'NAMESPACE   NAME     READY\ndefault     orders   True\n')
    assert.deepEqual(api.requests.at(-1)!.query, { labelSelector: 'app=x' })
  })

  it('names the kind before each name when there are several kinds, and leaves out empty ones', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${brokersPath}`]: aTable(['orders', 'True']),
      [`GET ${triggersPath}`]: aTable(['t', 'False']),
      'GET /api/v1/namespaces/default/services': aTable(),
      'GET /apis/serving.knative.dev/v1/namespaces/default/services': aTable(),
    })
    const { out } = await runInProcess(['get', 'all'], { server: api.url })
    assert.equal(
      out,
      'NAME                                 READY\nbroker.eventing.knative.dev/orders   True\n\n' +
        'NAME                             READY\ntrigger.eventing.knative.dev/t   False\n',
    )
  })

  it('gives Kubernetes’ own Services the bare name', async () => {
    const script = { ...scriptedDiscovery, 'GET /api/v1/namespaces/default/services': aTable() }
    await using api = await startScriptedApi(script)
    const { out, err, code } = await runInProcess(['get', 'services'], { server: api.url })
    assert.deepEqual({ out, err, code }, { out: '', err: 'No resources found in default namespace.\n', code: 0 })
  })

  it('prints YAML that reads back alike, JSON and names, without managed fields', async () => {
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${brokersPath}/orders`]: { body: anObject },
      [`GET ${brokersPath}`]: {
        body: { apiVersion: anObject.apiVersion, kind: 'BrokerList', items: [{ metadata: { name: 'a' } }] },
      },
    })
    const run = async (...words: string[]): Promise<string> => (await runInProcess(words, { server: api.url })).out
    assert.equal(
      await run('get', 'broker', 'orders', '-o', 'yaml'),
      'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: orders\n  annotations:\n    "on": "yes"\n',
    )
    assert.match(await run('get', 'broker/orders', '-o', 'yaml', '--show-managed-fields'), /managedFields/)
    assert.equal(await run('get', 'broker', '-o', 'name'), 'broker.eventing.knative.dev/a\n')
    assert.deepEqual(JSON.parse(await run('get', 'broker', '-o', 'json')), {
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: anObject.apiVersion, kind: 'Broker', metadata: { name: 'a' } }],
    })
  })

  it('goes on with changes under the same titles with -w, until stopped', async () => {
    const later = aTable(['orders', 'True']).body as object
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${brokersPath}`]: [
        aTable(['orders', 'Unknown']),
        { lines: [{ type: 'MODIFIED', object: { ...later, columnDefinitions: null } }] },
      ],
    })
    const stop = new AbortController()
    const onOut = (out: string): void => void (out.split('\n').length > 3 && stop.abort())
    const { out, code } = await runInProcess(['get', 'broker', '-w'], { server: api.url, signal: stop.signal, onOut })
    assert.deepEqual([code, out], [0, 'NAME     READY\norders   Unknown\norders   True\n'])
    assert.deepEqual(api.requests.at(-1)!.query, { watch: 'true', resourceVersion: '7', allowWatchBookmarks: 'true' })
  })

  it('goes on with -w where it was when the server ends a watch, as servers do', async () => {
    const change = (name: string, resourceVersion: string): string =>
      `${JSON.stringify({ type: 'ADDED', object: { ...anObject, metadata: { name, resourceVersion } } })}\n`
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${brokersPath}`]: [{ body: change('a', '5') }, { body: change('b', '6') }, { lines: [] }],
    })
    const stop = new AbortController()
    const onOut = (out: string): void => void (out.includes('/b') && stop.abort())
    const clock = new FakeClock()
    const words = ['get', 'broker', '-w', '-o', 'name']
    const watching = runInProcess(words, { server: api.url, signal: stop.signal, onOut, clock })
    while (clock.pendingTimers === 0) await settle()
    await clock.advance(1_000)
    assert.deepEqual(await watching, {
      code: 0,
      out: 'broker.eventing.knative.dev/a\nbroker.eventing.knative.dev/b\n',
      err: '',
    })
    assert.equal(
      api.requests.find(({ query }) => query['resourceVersion'] !== undefined)?.query['resourceVersion'],
      '5',
    )
  })

  it('shows those of the named objects that exist, and tells the others', async () => {
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'a' } }
    const body = { kind: 'Status', message: 'brokers.eventing.knative.dev "nope" not found', code: 404 }
    const missing = { status: 404, body }
    const rows: [string[], ScriptedAnswer, string][] = [
      [[], aTable(['a', 'True']), 'NAME   READY\na      True\n'],
      [['-o', 'name'], { body: broker }, 'broker.eventing.knative.dev/a\n'],
    ]
    for (const [words, answer, out] of rows) {
      const answers = { [`GET ${brokersPath}/a`]: answer, [`GET ${brokersPath}/nope`]: missing }
      await using api = await startScriptedApi({ ...scriptedDiscovery, ...answers })
      const result = await runInProcess(['get', 'broker', 'nope', 'a', ...words], { server: api.url })
      assert.deepEqual(result, { code: 1, out, err: 'knode: brokers.eventing.knative.dev "nope" not found\n' })
    }
  })

  it('says what does not exist, and what was probably meant', async () => {
    const body = {
      kind: 'Status',
      message: 'brokers.eventing.knative.dev "nope" not found',
      reason: 'NotFound',
      details: { name: 'nope', group: 'eventing.knative.dev', kind: 'brokers' },
      code: 404,
    }
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`GET ${brokersPath}/nope`]: { status: 404, body },
    })
    const rows: [string[], number, string][] = [
      [
        ['broker', 'nope'],
        1,
        'knode: brokers.eventing.knative.dev "nope" not found\n  knode get brokers.eventing.knative.dev -A lists those that exist\n',
      ],
      [['brokr'], 2, 'knode: the server has no kind "brokr"\n  did you mean broker?\n'],
      [['xyzzyx'], 2, 'knode: the server has no kind "xyzzyx"\n  knode get crd lists the kinds\n'],
      [['broker/a', 'b'], 2, 'knode: "broker/a b" mixes KIND NAME and KIND/NAME\n  use one of the two\n'],
      [['broker', 'a', '-A'], 2, 'knode: a name and -A do not go together\n  name the namespace with -n\n'],
      [['broker', 'a', '-l', 'x=y'], 2, 'knode: a name and --selector do not go together\n  use one of the two\n'],
      [['broker,trigger', '-w'], 2, 'knode: one kind or one object can be watched at a time\n'],
    ]
    for (const [words, code, err] of rows) {
      assert.deepEqual(await runInProcess(['get', ...words], { server: api.url }), { code, out: '', err })
    }
  })
})
