import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runFilterCommand } from './filter-command.ts'
import type { HistoryRequest } from './filter-command.ts'

let directory: string
const file = (name: string): string => join(directory, name)

const trigger = (name: string, rest: string): string =>
  `apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata:\n  name: ${name}\n  namespace: shop\n${rest}`
const event = (id: string, type: string, more = ''): string =>
  `{"specversion":"1.0","id":"${id}","source":"/s","type":"${type}"${more}}`

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knode-filter-'))
  const orders = trigger('orders', 'spec:\n  broker: main\n  filters:\n  - prefix: {type: order.}\n')
  const annotation = "  annotations: {knode.dev/data-filter: 'data.total > 100.0'}\n"
  const files: Record<string, string> = {
    'orders.yaml': orders,
    'two.yaml': `${orders}---\n${trigger('big', `${annotation}spec: {broker: main}\n`)}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n`,
    'bad.yaml': trigger('bad', 'spec:\n  filters:\n  - {}\n  - cesql: "NOPE()"\n'),
    'doubtful.yaml': trigger('doubtful', 'spec:\n  filters:\n  - cesql: "TRUE AND FALSE OR TRUE"\n'),
    'map.yaml': trigger('map', 'spec:\n  filters:\n    exact: {type: a}\n'),
    'none.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n',
    'order.json': event('1', 'order.created', ',"data":{"total":150}'),
    'batch.json': `[${event('1', 'order.created', ',"data":{"total":150}')},${event('2', 'invoice')}]`,
    'lines.ndjson': `${event('1', 'order.a')}\n\n${event('2', 'order.b')}\n`,
    'broken.json': '{"id":1}',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text)
})
after(() => rm(directory, { recursive: true }))

interface Ran {
  code: number
  out: string
  err: string
  requests: HistoryRequest[]
}

async function run(args: string[], { input = '', history = [] as string[] } = {}): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '', requests: [] }
  async function* chunks<Chunk>(items: Chunk[]): AsyncGenerator<Chunk> {
    yield* items
  }
  ran.code = await runFilterCommand(args, {
    stdin: chunks([Buffer.from(input)]),
    stdout: { write: (text) => (ran.out += text) },
    stderr: { write: (text) => (ran.err += text) },
    history(request) {
      ran.requests.push(request)
      return chunks(history)
    },
  })
  return ran
}

test('it says of one event whether the Trigger would get it, and why', async () => {
  const { code, out } = await run(['test', '-f', file('orders.yaml'), '--event', file('order.json')])
  assert.equal(code, 0)
  assert.equal(
    out,
    'match     shop/orders  order.created 1 from /s: spec.filters[0].prefix[type]: type "order.created" starts with "order."\n',
  )
})

test('several Triggers and events give a line each, and a sum', async () => {
  const { code, out } = await run(['test', '-f', file('two.yaml'), '--event', file('batch.json')])
  assert.equal(code, 0)
  assert.deepEqual(out.split('\n'), [
    'match     shop/orders  order.created 1 from /s: spec.filters[0].prefix[type]: type "order.created" starts with "order."',
    'match     shop/big  order.created 1 from /s: metadata.annotations[knode.dev/data-filter]: "data.total > 100.0" is true',
    'no match  shop/orders  invoice 2 from /s: spec.filters[0].prefix[type]: type "invoice" does not start with "order."',
    'no match  shop/big  invoice 2 from /s: metadata.annotations[knode.dev/data-filter]: "data.total > 100.0" failed: the event has no data',
    'shop/orders would match 1 of 2',
    'shop/big would match 1 of 2',
    '',
  ])
})

test('events come from standard input, and from files with one a line', async () => {
  const args = ['test', '-f', file('orders.yaml'), '--event', file('lines.ndjson'), '--event', '-', '-o', 'json']
  const { out } = await run(args, { input: event('3', 'x') })
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines.map(({ id, passes }) => [id, passes]),
    [
      ['1', true],
      ['2', true],
      ['3', false],
      [undefined, undefined],
    ],
  )
  assert.deepEqual(lines.at(-1), { trigger: 'shop/orders', matching: 2, all: 3 })
})

test('the history of a Broker is counted', async () => {
  const history = Array.from({ length: 1_500 }, (_, index) => event(`${index}`, index % 3 === 0 ? 'order.x' : 'y'))
  const { code, out, requests } = await run(['test', '-f', file('orders.yaml'), '--since', '1h'], { history })
  assert.equal(code, 0)
  assert.equal(out, 'shop/orders would match 500 of 1,500\n')
  const query = { namespace: 'shop', broker: 'main', sinceMs: 3_600_000 }
  assert.deepEqual(requests, [{ path: '/knode/v1/history', query, accept: 'application/x-ndjson' }])
})

test('the history is that of the Broker that brokerRef names, wherever it is', async () => {
  const ref = '{apiVersion: eventing.knative.dev/v1, kind: Broker, name: main, namespace: central}'
  const input = trigger('t', `spec:\n  brokerRef: ${ref}\n`)
  const { out, requests } = await run(['test', '-f', '-', '--since', '1h'], { input, history: [event('1', 'a')] })
  assert.deepEqual(requests[0]?.query, { namespace: 'central', broker: 'main', sinceMs: 3_600_000 })
  assert.equal(out, 'shop/t would match 1 of 1\n')
})

test('a Trigger whose filters are left empty has none', async () => {
  const input = trigger('t', 'spec:\n  broker: main\n  filter:\n  filters:\n')
  const { code, out } = await run(['test', '-f', '-', '--event', file('order.json')], { input })
  assert.deepEqual([code, out.slice(0, 14)], [0, 'match     shop'])
})

test('another Broker and namespace can be named; filters do not see the hop count', async () => {
  const args = ['test', '-f', '-', '--since', '30m', '--broker', 'other', '-n', 'test', '-o', 'json']
  const { out, requests } = await run(args, {
    input: trigger('t', 'spec:\n  filters:\n  - cesql: NOT EXISTS knativebrokerttl\n'),
    history: [event('1', 'a', ',"knativebrokerttl":"255"'), ''],
  })
  assert.deepEqual(requests[0]?.query, { namespace: 'test', broker: 'other', sinceMs: 1_800_000 })
  assert.match(
    out,
    /^\{"trigger":"test\/t","id":"1",.*"passes":true,.*\}\n\{"trigger":"test\/t","matching":1,"all":1\}\n$/,
  )
})

describe('what cannot be tested', () => {
  const one = (name: string): string[] => ['test', '-f', file(name), '--event', file('order.json')]
  const cases: [what: string, args: () => string[], code: number, err: RegExp][] = [
    [
      'a filter that the API would refuse',
      () => one('bad.yaml'),
      1,
      /bad\.yaml: empty filter: spec\.filters\[0\]\n[^]*no function NOPE/,
    ],
    ['filters that are no list', () => one('map.yaml'), 1, /map\.yaml: spec\.filters is no list/],
    ['no Trigger', () => one('none.yaml'), 1, /there is no Trigger in .*none\.yaml/],
    ['no file', () => one('nowhere.yaml'), 1, /nowhere\.yaml: there is no such file/],
    [
      'no event',
      () => ['test', '-f', file('orders.yaml'), '--event', file('broken.json')],
      1,
      /broken\.json: .*\n {2}events are structured JSON/,
    ],
    ['no subcommand', () => ['-f', file('orders.yaml'), '--since', '1h'], 2, /expected: knode filter test/],
    ['no -f', () => ['test', '--since', '1h'], 2, /name a Trigger with -f FILE/],
    [
      'nothing to test with',
      () => ['test', '-f', file('orders.yaml')],
      2,
      /name events with --event FILE or --since 1h/,
    ],
    [
      'a bad duration',
      () => ['test', '-f', file('orders.yaml'), '--since', 'yesterday'],
      2,
      /--since: expected a duration/,
    ],
    ['an unknown flag', () => ['test', '--nope'], 2, /--nope/],
    [
      'two readers of standard input',
      () => ['test', '-f', '-', '--event', '-'],
      2,
      /standard input can be read only once/,
    ],
  ]
  for (const [what, args, code, err] of cases) {
    test(`${what} is exit code ${code}`, async () => {
      const ran = await run(args())
      assert.equal(ran.code, code)
      assert.match(ran.err, err)
    })
  }
})

test('doubts are told and do not stop it', async () => {
  const { code, err } = await run(['test', '-f', file('doubtful.yaml'), '--event', file('order.json')])
  assert.equal(code, 0)
  assert.match(err, /^Warning: .*doubtful\.yaml: CESQL expression .*AND, OR and XOR bind equally/)
})
