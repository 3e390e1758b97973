import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { closedEndpoint } from '../reconciler.ts'
import type { Endpoint, ForwardOptions } from '../reconciler.ts'
import type { RevisionDoor } from '../serving.ts'
import { createEndpointTable } from './endpoint-table.ts'
import { HostRules } from './host-rules.ts'
import type { RulesOwner } from './host-rules.ts'
import type { HostPath, HostTarget } from './path-endpoint.ts'

interface Answer extends ForwardOptions {
  by?: string
  status?: number
  location?: string
}

/** A table with Revisions `r1`, `r2` and whatever else answers at hosts inside. */
function aTable(inside: Record<string, Endpoint> = {}) {
  const endpoints = createEndpointTable()
  const find = (namespace: string, name: string): RevisionDoor | undefined =>
    /^r\d$/.test(name) && namespace === 'shop' ? (aDoor(name) as RevisionDoor) : undefined
  const rules = new HostRules({ endpoints, revisions: { find }, random: seededRandom(3) })
  endpoints.add(rules)
  endpoints.add({ find: (host) => inside[host] })
  const ask = (host: string, path = '/', headers: Record<string, string> = {}): Answer => {
    const endpoint = endpoints.find(host, new URL(path, 'http://h').pathname)
    if (endpoint === undefined) return { status: 404 }
    assert.equal(endpoint.kind, 'http')
    const answer: Answer = {}
    const request = { url: path, headers: { host, ...headers }, socket: {}, resume: () => undefined }
    const response = {
      writeHead(status: number, { location }: Record<string, string>) {
        Object.assign(answer, { status, ...(location !== undefined && { location }) })
        return response
      },
      end: () => undefined,
      take: (taken: Answer) => void Object.assign(answer, taken),
    }
    if (endpoint.kind === 'http') {
      endpoint.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    }
    return answer
  }
  return { rules, endpoints, ask }
}

function aDoor(by: string): Endpoint {
  const take = (response: unknown, options: ForwardOptions): void =>
    (response as { take(answer: Answer): void }).take({ by, ...options })
  return { kind: 'http', handle: (_, response, options = {}) => take(response, options) }
}

const to = (name: string, percent = 100, setHeaders: Record<string, string> = {}): HostTarget => ({
  namespace: 'shop',
  name,
  percent,
  setHeaders,
})

const aPath = (targets: HostTarget[], more: Partial<HostPath> = {}): HostPath => ({
  prefix: '/',
  headers: {},
  targets,
  isRedirected: false,
  ...more,
})

const anOwner = (id: string, more: Partial<RulesOwner> = {}): RulesOwner => ({
  id,
  isSettled: false,
  onChange: () => undefined,
  ...more,
})

test('a host leads to its Revision; the longest path that fits counts, in whatever order it was given', () => {
  const { rules, ask } = aTable()
  const paths = [aPath([to('r1')]), aPath([to('r3')], { prefix: '/a/b' }), aPath([to('r2')], { prefix: '/a' })]
  rules.program(anOwner('a'), [{ hosts: ['shop.example.com'], paths }])
  const by = (path: string): string | undefined => ask('shop.example.com', path).by
  assert.deepEqual([by('/'), by('/x'), by('/a?b'), by('/a/b'), by('/a/bc/d')], ['r1', 'r1', 'r2', 'r3', 'r3'])
  assert.deepEqual(ask('other.example.com'), { status: 404 })
})

test('a path that no rule is for is nobody’s', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [aPath([to('r1')], { prefix: '/a' })] }])
  assert.deepEqual(ask('h', '/b'), { status: 404 })
  const strict = aPath([to('r1')], { headers: { 'knative-serving-tag': 'x' } })
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [strict] }])
  assert.deepEqual(ask('h'), { status: 404 })
})

test('a path with headers takes the requests that have all of them', () => {
  const { rules, ask } = aTable()
  const tagged = aPath([to('r2')], { headers: { 'knative-serving-tag': 'new', 'x-team': 'a' } })
  const deeper = aPath([to('r3')], { prefix: '/deep' })
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [tagged, aPath([to('r1')]), deeper] }])
  const both = { 'knative-serving-tag': 'new', 'x-team': 'a' }
  assert.equal(ask('h', '/', both).by, 'r2')
  assert.equal(ask('h', '/', { 'knative-serving-tag': 'new' }).by, 'r1')
  assert.equal(ask('h', '/', { ...both, 'x-team': 'A' }).by, 'r1')
  assert.equal(ask('h', '/deep', both).by, 'r3', 'the longer path comes first')
})

test('shares are kept exactly: 10 % of 2,000 requests are 200, within 3 %, and 0 % is none', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [aPath([to('r1', 90), to('r2', 10), to('r3', 0)])] }])
  const taken: Record<string, number> = {}
  for (let count = 0; count < 2_000; count++) {
    const { by = '' } = ask('h')
    taken[by] = (taken[by] ?? 0) + 1
  }
  assert.deepEqual(Object.keys(taken).sort(), ['r1', 'r2'])
  assert.ok(Math.abs(taken['r2']! - 200) <= 60, JSON.stringify(taken))
})

test('each share is as wide as its percent: no more, no less', () => {
  const draws = [0, 0.2499, 0.25, 0.5999, 0.6, 0.9999]
  const endpoints = createEndpointTable()
  const find = (_: string, name: string): RevisionDoor => aDoor(name) as RevisionDoor
  const random = { next: () => draws.shift()!, uuid: () => '' }
  const rules = new HostRules({ endpoints, revisions: { find }, random })
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [aPath([to('r1', 25), to('r2', 35), to('r3', 40)])] }])
  const seen: (string | undefined)[] = []
  const response = { take: ({ by }: Answer) => void seen.push(by) } as unknown as ServerResponse
  for (let count = draws.length; count > 0; count--) {
    const endpoint = rules.find('h', '/')
    if (endpoint?.kind === 'http') endpoint.handle({ url: '/', headers: {} } as IncomingMessage, response)
  }
  assert.deepEqual(seen, ['r1', 'r1', 'r2', 'r2', 'r3', 'r3'])
})

test('headers are set on the way, and a rewritten host is asked for anew', () => {
  const { rules, ask } = aTable()
  const revision = { 'knative-serving-revision': 'r1' }
  rules.program(anOwner('route'), [
    { hosts: ['hello.shop.svc.cluster.local'], paths: [aPath([to('r1', 100, revision)])] },
  ])
  const original = { 'k-original-host': 'shop.example.com', 'knative-serving-revision': 'forged' }
  const mapped = aPath([to('hello', 100, original)], { rewriteHost: 'hello.shop.svc.cluster.local' })
  rules.program(anOwner('mapping'), [{ hosts: ['shop.example.com'], paths: [mapped] }])
  assert.deepEqual(ask('hello.shop.svc.cluster.local'), { by: 'r1', setHeaders: revision })
  assert.deepEqual(ask('shop.example.com'), {
    by: 'r1',
    setHeaders: { 'k-original-host': 'shop.example.com', ...revision },
    host: 'hello.shop.svc.cluster.local',
  })
})

test('a rewritten host that nobody has goes to the backend that is named', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [aPath([to('r1')], { rewriteHost: 'far.example.org' })] }])
  assert.deepEqual(ask('h'), { by: 'r1', setHeaders: {}, host: 'far.example.org' })
})

test('what is no Revision is a core Service, and without either the answer is 503', () => {
  const { rules, ask } = aTable({ 'web.shop.svc.cluster.local': aDoor('web') })
  rules.program(anOwner('a'), [
    { hosts: ['h'], paths: [aPath([to('web')])] },
    { hosts: ['i'], paths: [aPath([to('nobody')])] },
  ])
  assert.equal(ask('h').by, 'web')
  assert.deepEqual(ask('i'), { status: 503 })
})

test('the door for events behind a host is found itself', () => {
  const door = closedEndpoint('full')
  const { rules, endpoints } = aTable({ 'orders-kn-channel.shop.svc.cluster.local': door })
  const mapped = aPath([to('orders-kn-channel')], { rewriteHost: 'orders-kn-channel.shop.svc.cluster.local' })
  rules.program(anOwner('a'), [{ hosts: ['orders.example.com'], paths: [mapped] }])
  assert.equal(endpoints.find('orders.example.com', '/'), door)
  rules.program(anOwner('a'), [{ hosts: ['orders.example.com'], paths: [{ ...mapped, isRedirected: true }] }])
  assert.equal(endpoints.find('orders.example.com', '/', true), door, 'by https, where others are sent')
  assert.equal(endpoints.find('orders.example.com', '/')?.kind, 'http')
})

test('rules that lead in a circle end', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [
    { hosts: ['x'], paths: [aPath([to('y1'), to('y2')], { rewriteHost: 'y' })] },
    { hosts: ['y'], paths: [aPath([to('y1'), to('y2')], { rewriteHost: 'x' })] },
    { hosts: ['z.shop.svc.cluster.local'], paths: [aPath([to('z')])] },
  ])
  assert.deepEqual(ask('x'), { status: 503 })
  assert.deepEqual(ask('z.shop.svc.cluster.local'), { status: 503 })
})

test('where clients are to use HTTPS they are sent there', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [{ hosts: ['h'], paths: [aPath([to('r1')], { isRedirected: true })] }])
  assert.deepEqual(ask('h', '/a/b?c=d', { host: 'h:7481' }), { status: 301, location: 'https://h:7481/a/b?c=d' })
  assert.deepEqual(ask('h', '/a', { host: 'h:80' }), { status: 301, location: 'https://h/a' })
  assert.deepEqual(ask('h', '/a', { host: 'h' }), { status: 301, location: 'https://h/a' })
  assert.deepEqual(ask('h', 'http://h:7481/a?b', {}), { status: 301, location: 'https://h:7481/a?b' })
  assert.equal(ask('h', '/', { 'x-forwarded-proto': 'https' }).by, 'r1', 'a proxy before us has done it')
})

test('new rules take the place of the old ones at once', () => {
  const { rules, ask } = aTable()
  const owner = anOwner('a')
  rules.program(owner, [{ hosts: ['h', 'i'], paths: [aPath([to('r1')])] }])
  assert.equal(rules.program(owner, [{ hosts: ['i', 'j'], paths: [aPath([to('r2')])] }]), undefined)
  assert.deepEqual([ask('h'), ask('i').by, ask('j').by], [{ status: 404 }, 'r2', 'r2'])
  rules.withdraw('a')
  rules.withdraw('a')
  assert.deepEqual([ask('i'), ask('j')], [{ status: 404 }, { status: 404 }])
})

test('who has a host keeps it; the other keeps what it had, and is called when the host is free', () => {
  const { rules, ask } = aTable()
  const first = anOwner('first')
  let calls = 0
  const second = anOwner('second', { onChange: () => void calls++ })
  rules.program(first, [{ hosts: ['h', 'i'], paths: [aPath([to('r1')])] }])
  rules.program(second, [{ hosts: ['j'], paths: [aPath([to('r2')])] }])
  assert.equal(rules.program(second, [{ hosts: ['k', 'h'], paths: [aPath([to('r3')])] }]), 'h')
  assert.deepEqual([ask('h').by, ask('j').by, ask('k')], ['r1', 'r2', { status: 404 }])
  assert.equal(calls, 0)
  rules.program(first, [{ hosts: ['i'], paths: [aPath([to('r1')])] }])
  assert.equal(calls, 1)
  assert.equal(rules.program(second, [{ hosts: ['k', 'h'], paths: [aPath([to('r3')])] }]), undefined)
  assert.deepEqual([ask('h').by, ask('j'), ask('k').by], ['r3', { status: 404 }, 'r3'])
  rules.withdraw('first')
  assert.equal(calls, 1, 'who waits no more is left in peace')
})

test('after a restart the host is the one’s that had it before, whoever comes first', () => {
  const { rules, ask } = aTable()
  let calls = 0
  const newcomer = anOwner('newcomer', { onChange: () => void calls++ })
  const holder = anOwner('holder', { isSettled: true })
  rules.program(newcomer, [{ hosts: ['h'], paths: [aPath([to('r2')])] }])
  assert.equal(rules.program(holder, [{ hosts: ['h'], paths: [aPath([to('r1')])] }]), undefined)
  assert.equal(ask('h').by, 'r1')
  assert.equal(calls, 1)
  assert.equal(rules.program(newcomer, [{ hosts: ['h'], paths: [aPath([to('r2')])] }]), 'h')
  assert.equal(rules.program(anOwner('third', { isSettled: true }), [{ hosts: ['h'], paths: [] }]), 'h')
})

test('a rule for any host leaves the gateway’s own address alone', () => {
  const { rules, ask } = aTable()
  rules.program(anOwner('a'), [{ hosts: ['*'], paths: [aPath([to('r1')])] }])
  rules.program(anOwner('b'), [{ hosts: ['h'], paths: [aPath([to('r2')])] }])
  assert.deepEqual([ask('h').by, ask('anybody').by, ask('')], ['r2', 'r1', { status: 404 }])
})

test('upgrades go the same way, and are refused where nobody takes them', async () => {
  const upgraded: Answer[] = []
  const door: Endpoint = {
    kind: 'http',
    handle: () => assert.fail('no request'),
    upgrade: (_, __, ___, options = {}) => void upgraded.push(options),
  }
  const { rules, endpoints } = aTable({ 'web.shop.svc.cluster.local': door })
  rules.program(anOwner('a'), [
    { hosts: ['h'], paths: [aPath([to('web', 100, { a: 'b' })])] },
    { hosts: ['i'], paths: [aPath([to('nobody')])] },
    { hosts: ['j'], paths: [aPath([to('web')], { headers: { x: 'y' } })] },
    { hosts: ['k'], paths: [aPath([to('web')], { isRedirected: true })] },
  ])
  const sockets: Duplex[] = []
  const upgrade = (host: string): string => {
    const endpoint = endpoints.find(host, '/')
    let answer = ''
    // Its client never ends its side.
    const socket = new Duplex({
      read: () => undefined,
      write: (chunk, _, done) => done(void (answer += String(chunk))),
    })
    sockets.push(socket)
    const request = { url: '/', headers: { host }, socket: {} } as IncomingMessage
    if (endpoint?.kind === 'http') endpoint.upgrade!(request, socket, Buffer.alloc(0))
    return answer.split('\r\n\r\n')[0]!
  }
  assert.equal(upgrade('h'), '')
  assert.deepEqual(upgraded, [{ setHeaders: { a: 'b' } }])
  assert.equal(upgrade('i'), 'HTTP/1.1 503 Service Unavailable\r\nConnection: close')
  assert.equal(upgrade('j'), 'HTTP/1.1 404 Not Found\r\nConnection: close')
  assert.equal(upgrade('k'), 'HTTP/1.1 301 Moved Permanently\r\nLocation: https://k/\r\nConnection: close')
  await settle()
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [false, true, true, true],
    'a client that keeps its side open does not keep the connection',
  )
})
