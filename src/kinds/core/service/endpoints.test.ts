import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { seededRandom } from '../../../base/random.ts'
import { createPodTable } from '../../../engine/pod-table.ts'
import { createEndpointTable } from '../../../engine/request-path/endpoint-table.ts'
import type { RegisteredPod } from '../../../engine/serving.ts'
import { endpointSpec, ServiceEndpoints } from './endpoints.ts'
import type { Service, ServiceSpec } from './schema.ts'

const aService = (spec: ServiceSpec, metadata: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec,
})
const selector = { app: 'web' }

async function listening(text: string) {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

/** Services in front of one Pod whose port 8080 says `main` and 9090 says `metrics`, behind a gateway. */
async function setUp() {
  const pods = createPodTable({ clock: systemClock })
  const endpoints = createEndpointTable()
  const services = new ServiceEndpoints({ pods, endpoints, clock: systemClock, random: seededRandom(1) })
  endpoints.add(services)
  const [main, metrics] = [await listening('main'), await listening('metrics')]
  const gateway = createServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    const found = endpoints.find(host, request.url ?? '/')
    if (found?.kind === 'http') found.handle(request, response)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const { port } = gateway.address() as AddressInfo
  const ask = (host: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', headers: { host }, agent: false }, (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve(`${response.statusCode} ${body.trim()}`))
      })
      request.on('error', reject).end()
    })
  return {
    services,
    endpoints,
    ask,
    register: (isReady = true): RegisteredPod =>
      pods.register({
        namespace: 'shop',
        name: 'web-1',
        uid: 'u',
        labels: selector,
        host: '127.0.0.1',
        isReady,
        ports: new Map([
          [8080, main.port],
          [9090, metrics.port],
        ]),
        portNames: new Map([['metrics', 9090]]),
      }),
    [Symbol.dispose]() {
      for (const server of [gateway, main.server, metrics.server]) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

test('a Service answers at all of its names with what its Pods say', async () => {
  using bed = await setUp()
  bed.register()
  bed.services.open(endpointSpec(aService({ selector, ports: [{ port: 80, targetPort: 8080 }] }))!)
  for (const host of ['web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local', 'web.shop.svc.cluster.local:80']) {
    assert.equal(await bed.ask(host), '200 main', host)
  }
  assert.equal(await bed.ask('web.other.svc.cluster.local'), '404 ')
})

test('the port of the request’s host chooses the Service’s port, by number or by name of the container’s', async () => {
  using bed = await setUp()
  bed.register()
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'metrics', port: 9000, targetPort: 'metrics' },
  ]
  bed.services.open(endpointSpec(aService({ selector, ports }))!)
  assert.equal(await bed.ask('web.shop'), '200 main')
  assert.equal(await bed.ask('web.shop:9000'), '200 metrics')
  assert.equal(await bed.ask('web.shop:1234'), '200 main')
})

test('without a ready Pod the answer is 503 and says so; a Pod that becomes ready is used at once', async () => {
  using bed = await setUp()
  const pod = bed.register(false)
  bed.services.open(endpointSpec(aService({ selector, ports: [{ port: 80, targetPort: 8080 }] }))!)
  assert.equal(await bed.ask('web.shop'), '503 no Pod of the Service is ready')
  pod.update({ isReady: true })
  assert.equal(await bed.ask('web.shop'), '200 main')
  pod.remove()
  assert.match(await bed.ask('web.shop'), /^503/)
})

test('a port that nothing is known to listen on leads nowhere, and not to another port', async () => {
  using bed = await setUp()
  bed.register()
  bed.services.open(endpointSpec(aService({ selector, ports: [{ port: 80, targetPort: 7070 }] }))!)
  assert.match(await bed.ask('web.shop'), /^50/)
})

test('a closed Service answers no more', async () => {
  using bed = await setUp()
  bed.register()
  const opened = bed.services.open(endpointSpec(aService({ selector, ports: [{ port: 80 }] }))!)
  assert.match(await bed.ask('web.shop'), /^[25]/)
  await opened[Symbol.asyncDispose]()
  assert.equal(await bed.ask('web.shop'), '404 ')
})

test('another name for a Service leads to it, names outside lead nowhere, and circles end', async () => {
  using bed = await setUp()
  bed.register()
  const alias = (name: string, externalName: string) =>
    bed.services.open(endpointSpec(aService({ type: 'ExternalName', externalName }, { name }))!)
  bed.services.open(endpointSpec(aService({ selector, ports: [{ port: 80, targetPort: 8080 }] }))!)
  alias('other', 'web.shop.svc.cluster.local.')
  alias('outside', 'example.com')
  alias('a', 'b.shop.svc.cluster.local')
  alias('b', 'a.shop.svc.cluster.local')
  assert.equal(await bed.ask('other.shop.svc.cluster.local'), '200 main')
  assert.equal(bed.endpoints.find('outside.shop', '/'), undefined)
  assert.equal(bed.endpoints.find('a.shop', '/'), undefined)
})

test('Services of Revisions, and those without a selector, answer nowhere', () => {
  const labels = { 'networking.internal.knative.dev/serverlessservice': 'r' }
  assert.equal(endpointSpec(aService({ selector }, { labels })), undefined)
  assert.equal(endpointSpec(aService({ ports: [{ port: 80 }] })), undefined)
  assert.equal(endpointSpec(aService({ type: 'ExternalName' })), undefined)
})
