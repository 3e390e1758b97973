import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { seededRandom } from '../../../base/random.ts'
import type { HttpEndpoint } from '../../../engine/reconciler.ts'
import { ServiceRoutes } from './routes.ts'
import type { Share } from './routes.ts'

const request = {} as IncomingMessage
const response = {} as ServerResponse

function aBackend(): HttpEndpoint & { count: number } {
  const backend = { kind: 'http' as const, count: 0, handle: () => void backend.count++ }
  return backend
}

const routes = (): ServiceRoutes =>
  new ServiceRoutes({ addresses: { serviceDomain: '127.0.0.1.sslip.io:7481' }, random: seededRandom(1) })

const all = (backend: HttpEndpoint, tag?: string): Share[] => [
  { revision: 'r', backend, percent: 100, ...(tag === undefined ? {} : { tag }) },
]

test('a Service answers to each of its hosts, and to no other', () => {
  const table = routes()
  const backend = aBackend()
  table.set('default', 'hello', all(backend), { isLocal: false })
  const hosts = [
    'hello.default.svc.cluster.local',
    'hello.default.svc',
    'hello.default',
    'hello.default.127.0.0.1.sslip.io',
  ]
  for (const host of hosts) assert.equal(table.find(host), backend, host)
  const strangers = ['', 'hello', 'hello.other.svc', 'x.hello.default.svc', 'hello.default.example.com', '.default.svc']
  for (const host of strangers) assert.equal(table.find(host), undefined, host)
  table.delete('default', 'hello')
  assert.equal(table.find('hello.default'), undefined)
})

test('a Service for the cluster alone has no public host', () => {
  const table = routes()
  table.set('default', 'hello', all(aBackend(), 'next'), { isLocal: true })
  assert.notEqual(table.find('hello.default.svc.cluster.local'), undefined)
  assert.equal(table.find('hello.default.127.0.0.1.sslip.io'), undefined)
  assert.notEqual(table.find('next-hello.default.svc.cluster.local'), undefined)
  assert.equal(table.find('next-hello.default.127.0.0.1.sslip.io'), undefined)
})

test('a tag has a host of its own, also where names contain dashes', () => {
  const table = routes()
  const [current, next] = [aBackend(), aBackend()]
  table.set('default', 'my-hello', [...all(current), { revision: 's', backend: next, percent: 0, tag: 'so-new' }], {
    isLocal: false,
  })
  assert.equal(table.find('my-hello.default.svc.cluster.local'), current)
  assert.equal(table.find('so-new-my-hello.default.svc.cluster.local'), next)
  assert.equal(table.find('old-my-hello.default.svc.cluster.local'), undefined)
})

test('a Service whose name looks like a tag of another comes first', () => {
  const table = routes()
  const [other, tagged] = [aBackend(), aBackend()]
  table.set('default', 'hello', all(tagged, 'v1'), { isLocal: false })
  table.set('default', 'v1-hello', all(other), { isLocal: false })
  assert.equal(table.find('v1-hello.default'), other)
})

test('requests are divided by percent', () => {
  const table = routes()
  const [first, second] = [aBackend(), aBackend()]
  const shares = [
    { revision: 'a', backend: first, percent: 90 },
    { revision: 'b', backend: second, percent: 10 },
  ]
  table.set('default', 'hello', shares, { isLocal: false })
  const endpoint = table.find('hello.default')!
  for (let at = 0; at < 2_000; at++) endpoint.handle(request, response)
  assert.equal(first.count + second.count, 2_000)
  assert.ok(Math.abs(second.count - 200) < 40, `${second.count} of 2000 went to the share of 10 %`)
})
