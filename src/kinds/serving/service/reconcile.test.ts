import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { settle } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import { startSmallWorld } from '../../../engine/control-loop/small-world.ts'
import type { SmallWorld } from '../../../engine/control-loop/small-world.ts'
import { createEndpointTable } from '../../../engine/request-path/endpoint-table.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { createFakeRuntime } from '../../../ports/workload-runtime/fake/fake-runtime.ts'
import type { FakeProgram, FakeRuntime } from '../../../ports/workload-runtime/fake/fake-runtime.ts'
import { servingService } from './kind.ts'
import { servingServiceKind } from './schema.ts'
import type { Service, ServiceSpec } from './schema.ts'

interface ServingWorld extends SmallWorld {
  runtime: FakeRuntime
  service(name?: string): Promise<Service>
  /** `status reason: message` of a condition. */
  says(type?: string, name?: string): Promise<string>
  /** Status and body of a GET at the host. */
  fetch(host: string): Promise<string>
  until(condition: () => boolean | Promise<boolean>): Promise<void>
}

/** What each image does: by default it is ready at once and answers with its instance's name. */
type Programs = Record<string, FakeProgram | undefined>

async function aWorld(t: TestContext, programs: Programs = {}, stored: Resource[] = []): Promise<ServingWorld> {
  const endpoints = createEndpointTable()
  let runtime: FakeRuntime | undefined
  const kind = {
    ...servingService,
    reconciler(deps: Parameters<NonNullable<typeof servingService.reconciler>>[0]) {
      runtime = createFakeRuntime({
        clock: deps.clock,
        program: ({ image }) => (image in programs ? programs[image] : {}),
      })
      return servingService.reconciler!({ ...deps, runtime, endpoints, random: seededRandom(1) })
    },
  }
  const world = await startSmallWorld({ kinds: [kind, configMapKind], stored })
  const front = createServer((request, response) => {
    const endpoint = endpoints.find(String(request.headers.host), '/')
    if (endpoint?.kind === 'http') endpoint.handle(request, response)
    else response.writeHead(404).end('nobody')
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const { port } = front.address() as AddressInfo
  t.after(async () => {
    front.close()
    front.closeAllConnections()
    const closing = world[Symbol.asyncDispose]()
    await world.clock.advance(60_000)
    await closing
  })
  const until: ServingWorld['until'] = async (isSo) => {
    const untilMs = performance.now() + 5_000
    while (!(await isSo())) {
      if (performance.now() > untilMs) throw new Error(`never came true: ${isSo.toString()}`)
      await settle(5)
    }
  }
  const service = async (name = 'hello'): Promise<Service> =>
    (await world.client.get<Service>(servingServiceKind, 'default', name))!
  await world.settled()
  return Object.assign(world, {
    runtime: runtime!,
    until,
    service,
    async says(type = 'Ready', name = 'hello') {
      const { status, reason, message } = conditionOf(await service(name), type) ?? {}
      return reason === undefined ? (status ?? '') : `${status} ${reason}: ${message}`
    },
    fetch: (host: string) => fetchFrom(port, host),
  })
}

const configMapKind = {
  group: '',
  kind: 'ConfigMap',
  plural: 'configmaps',
  builtIn: true,
  versions: [{ name: 'v1', schema: {}, columns: [] }],
}

function fetchFrom(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text.trim()}`))
    }).on('error', reject)
  })
}

function aService(image = 'v1', spec: Partial<ServiceSpec> = {}, annotations: Record<string, string> = {}): Service {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello', namespace: 'default' },
    spec: {
      template: { metadata: { annotations }, spec: { containers: [{ image }] } },
      traffic: [{ latestRevision: true, percent: 100 }],
      ...spec,
    },
  }
}

const limit = { timeout: 20_000 }

test('a Service starts its program once, is Ready, and goes to zero when nobody asks', limit, async (t) => {
  const world = await aWorld(t, { v1: { startMs: 1_000 } })
  await world.client.create(aService())
  await world.settled()
  const waiting = 'Configuration "hello" is waiting for a Revision to become ready.'
  assert.equal(await world.says(), `Unknown RevisionMissing: ${waiting}`)
  await world.until(() => world.runtime.started.length === 1)
  await world.advance(1_000)
  assert.match(await world.says(), /^True/)
  const { status } = await world.service()
  assert.equal(status?.url, 'http://hello.default.127.0.0.1.sslip.io:7481')
  assert.deepEqual(status?.address, { url: 'http://hello.default.svc.cluster.local' })
  assert.equal(status?.latestCreatedRevisionName, 'hello-00001')
  assert.equal(status?.latestReadyRevisionName, 'hello-00001')
  assert.deepEqual(status?.traffic, [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }])

  await world.advance(60_000)
  await world.until(() => world.runtime.running.length === 0)
  await world.settled()
  assert.match(await world.says(), /^True/)
})

test('its first request starts it again, and waits', limit, async (t) => {
  const world = await aWorld(t, { v1: { startMs: 500 } })
  await world.client.create(aService())
  await world.until(() => world.runtime.started.length === 1)
  await world.advance(61_000)
  await world.until(() => world.runtime.running.length === 0)
  const answer = world.fetch('hello.default.svc.cluster.local')
  await world.until(() => world.runtime.started.length === 2)
  await world.advance(500)
  assert.match(await answer, /^200 hello-00001-deployment-\w{5}$/)
})

test('the program gets its contract, and the annotations of Knode', limit, async (t) => {
  const world = await aWorld(t)
  await world.client.create(aService('v1', {}, { 'knode.dev/command': 'node drink.ts', 'knode.dev/workdir': 'here' }))
  await world.until(() => world.runtime.started.length === 1)
  const { name, ...spec } = world.runtime.started[0]!.spec
  assert.match(name, /^hello-00001-deployment-\w{5}$/)
  assert.deepEqual(spec, {
    namespace: 'default',
    group: 'hello',
    image: 'v1',
    env: { K_SERVICE: 'hello', K_CONFIGURATION: 'hello', K_REVISION: 'hello-00001' },
    containerPort: 8080,
    processCommand: 'node drink.ts',
    workdir: 'here',
  })
})

test('a program that fails makes the Service say why, as upstream does, and heals by itself', limit, async (t) => {
  const programs: Programs = { v1: { prints: ['no database'], exit: { code: 7 } } }
  const world = await aWorld(t, programs)
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('False'))
  assert.equal(
    await world.says('ConfigurationsReady'),
    'False RevisionFailed: Revision "hello-00001" failed with message: Container failed with: no database.',
  )
  assert.equal(await world.says(), 'False RevisionMissing: Configuration "hello" does not have any ready Revision.')
  assert.match((await world.events()).join('\n'), /^ExitCode7: Revision "hello-00001" failed .* x1$/)
  programs['v1'] = {}
  await world.advance(1_000)
  await world.until(async () => (await world.says()).startsWith('True'))
})

test('an image that nothing runs, and a program that never listens, are told', limit, async (t) => {
  const world = await aWorld(t, { v1: undefined, v2: { startMs: Infinity } })
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('False'))
  const missing = 'Unable to fetch image "v1": no script for image v1'
  assert.equal(
    await world.says('ConfigurationsReady'),
    `False RevisionFailed: Revision "hello-00001" failed with message: ${missing}.`,
  )
  const silent = aService('v2', {}, { 'serving.knative.dev/progress-deadline': '5s' })
  await world.client.create({ ...silent, metadata: { name: 'silent', namespace: 'default' } })
  await world.until(() => world.runtime.started.length === 1)
  await world.advance(5_000)
  await world.until(async () => (await world.says('Ready', 'silent')).startsWith('False'))
  assert.equal(
    await world.says('ConfigurationsReady', 'silent'),
    'False RevisionFailed: Revision "silent-00001" failed with message: Initial scale was never achieved.',
  )
  const reasons = (await world.events()).map((event) => event.split(':')[0])
  assert.deepEqual(reasons, ['ContainerMissing', 'ProgressDeadlineExceeded'])
})

test('a new Revision takes over when it is ready, not before', limit, async (t) => {
  const world = await aWorld(t, { v2: { startMs: 1_000 } })
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('True'))
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: aService('v2').spec })
  await world.until(() => world.runtime.started.length === 2)
  await world.settled()
  assert.match(await world.says(), /^Unknown/)
  assert.match(await world.says('RoutesReady'), /^True/)
  assert.match(await world.fetch('hello.default'), /^200 hello-00001-/)

  await world.advance(1_000)
  await world.until(async () => (await world.says()).startsWith('True'))
  assert.match(await world.fetch('hello.default'), /^200 hello-00002-/)
  await world.until(() => world.runtime.running.length === 1)
  const { status } = await world.service()
  assert.deepEqual(status?.traffic, [{ revisionName: 'hello-00002', latestRevision: true, percent: 100 }])
})

test('a new Revision that fails leaves the old one serving', limit, async (t) => {
  const world = await aWorld(t, { v2: { exit: { code: 1 } } })
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('True'))
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: aService('v2').spec })
  await world.until(async () => (await world.says()).startsWith('False'))
  assert.match(await world.says(), /^False RevisionFailed: Revision "hello-00002" failed/)
  assert.match(await world.says('RoutesReady'), /^True/)
  const { status } = await world.service()
  assert.deepEqual([status?.latestCreatedRevisionName, status?.latestReadyRevisionName], ['hello-00002', 'hello-00001'])
  assert.match(await world.fetch('hello.default'), /^200 hello-00001-/)
})

test('only a change of the template makes a Revision', limit, async (t) => {
  const world = await aWorld(t)
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('True'))
  const tagged = [{ latestRevision: true, percent: 100, tag: 'now' }]
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: { traffic: tagged } })
  await world.settled()
  const { status } = await world.service()
  assert.equal(status?.latestCreatedRevisionName, 'hello-00001')
  assert.equal(status?.traffic?.[0]?.url, 'http://now-hello.default.127.0.0.1.sslip.io:7481')
  assert.match(await world.fetch('now-hello.default.svc.cluster.local'), /^200 hello-00001-/)
})

test('requests are pinned to a Revision by name while a newer one is made', limit, async (t) => {
  const world = await aWorld(t)
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('True'))
  const pinned = [{ revisionName: 'hello-00001', latestRevision: false, percent: 100 }]
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: aService('v2', { traffic: pinned }).spec })
  await world.until(async () => (await world.service()).status?.latestReadyRevisionName === 'hello-00002')
  assert.match(await world.fetch('hello.default'), /^200 hello-00001-/)
  const nowhere = [{ revisionName: 'hello-v9', latestRevision: false, percent: 100 }]
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: { traffic: nowhere } })
  await world.settled()
  assert.equal(
    await world.says('RoutesReady'),
    'False RevisionMissing: Revision "hello-v9" referenced in traffic not found.',
  )
})

test('a Revision takes the name its template gives', limit, async (t) => {
  const world = await aWorld(t)
  const service = aService()
  service.spec.template!.metadata = { name: 'hello-blue' }
  await world.client.create(service)
  await world.until(async () => (await world.service()).status?.latestReadyRevisionName === 'hello-blue')
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: aService('v2').spec })
  // A merge patch keeps the name: take it away.
  await world.client.patch(servingServiceKind, 'default', 'hello', { spec: { template: { metadata: { name: null } } } })
  await world.until(async () => (await world.service()).status?.latestReadyRevisionName !== 'hello-blue')
  assert.match((await world.service()).status?.latestReadyRevisionName ?? '', /^hello-0000[23]$/)
})

test('a Service that was Ready before a restart of Knode starts nothing until somebody asks', limit, async (t) => {
  const first = await aWorld(t)
  await first.client.create(aService())
  await first.until(async () => (await first.says()).startsWith('True'))
  const stored = await first.service()

  const second = await aWorld(t, {}, [stored])
  await second.until(async () => (await second.says()).startsWith('True'))
  assert.equal(second.runtime.started.length, 0)
  assert.match(await second.fetch('hello.default'), /^200 hello-00001-/)
})

test('a ConfigMap that is missing is told, and its arrival starts the program', limit, async (t) => {
  const world = await aWorld(t)
  const service = aService()
  service.spec.template!.spec!.containers![0]!.envFrom = [{ configMapRef: { name: 'settings' } }]
  await world.client.create(service)
  await world.until(async () => (await world.says()).startsWith('False'))
  assert.match(await world.says('ConfigurationsReady'), /failed with message: configmap "settings" not found\.$/)
  const settings: Resource & { data: Record<string, string> } = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { COLOR: 'blue' },
  }
  await world.client.create(settings)
  await world.until(async () => (await world.says()).startsWith('True'))
  assert.equal(world.runtime.started[0]!.spec.env['COLOR'], 'blue')
})

test('a Service for the cluster alone says so in its URL', limit, async (t) => {
  const world = await aWorld(t)
  const service = aService()
  service.metadata.labels = { 'networking.knative.dev/visibility': 'cluster-local' }
  await world.client.create(service)
  await world.until(async () => (await world.says()).startsWith('True'))
  assert.equal((await world.service()).status?.url, 'http://hello.default.svc.cluster.local')
  assert.match(await world.fetch('hello.default.127.0.0.1.sslip.io'), /^404/)
})

test('min-scale and window are taken from the template', limit, async (t) => {
  const world = await aWorld(t)
  const annotations = { 'autoscaling.knative.dev/min-scale': '2', 'autoscaling.knative.dev/window': '10s' }
  await world.client.create(aService('v1', {}, annotations))
  await world.until(() => world.runtime.running.length === 2)
  await world.advance(120_000)
  assert.equal(world.runtime.running.length, 2)
  await world.client.create({
    ...aService('v1', {}, { 'autoscaling.knative.dev/window': '10s' }),
    metadata: { name: 'other', namespace: 'default' },
  })
  await world.until(() => world.runtime.running.length === 3)
  await world.advance(10_000)
  await world.until(() => world.runtime.running.length === 2)
})

test('a deleted Service leaves nothing behind', limit, async (t) => {
  const world = await aWorld(t)
  await world.client.create(aService())
  await world.until(async () => (await world.says()).startsWith('True'))
  await world.client.delete(servingServiceKind, 'default', 'hello')
  await world.until(() => world.runtime.running.length === 0)
  assert.match(await world.fetch('hello.default'), /^404/)
})
