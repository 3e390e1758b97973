// ConfigMaps of Knative with the real kubectl: what is honoured counts at once, what is not says so where it is set.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { eventually } from '../../src/base/eventually.ts'
import { aService, inAWorld } from '../harness/serving-world.ts'
import type { World } from '../harness/serving-world.ts'

const http2Only = join(import.meta.dirname, '..', 'harness', 'apps', 'http2-only.ts')

/** The `Warning:` lines of kubectl, but for those that upstream has, too. */
async function warnings({ kubectl }: World, args: string[], stdin = ''): Promise<string[]> {
  const { code, stderr, stdout } = await kubectl.run(args, { stdin })
  assert.equal(code, 0, stderr + stdout)
  return stderr.split('\n').filter((line) => line.startsWith('Warning:') && !line.includes('Kubernetes default value'))
}

const set = (world: World, name: string, data: Record<string, string>, namespace = 'knative-serving') =>
  warnings(world, ['patch', 'configmap', name, '-n', namespace, '--type', 'merge', '-p', JSON.stringify({ data })])

const apply = (world: World, manifest: string): Promise<string[]> => warnings(world, ['apply', '-f', '-'], manifest)

/** A Service of the program that speaks HTTP/2 alone, probed once a second. */
const anHttp2Service = (name: string, ports: object[]): string => {
  const container = { image: 'example.com/h2', ports, readinessProbe: { httpGet: { path: '/' }, periodSeconds: 1 } }
  return aService(name, {
    command: `"${process.execPath}" "${http2Only}"`,
    annotations: { 'autoscaling.knative.dev/min-scale': '1' },
    spec: { containers: [container] },
  })
}

describe('a ConfigMap of Knative', { concurrency: false }, () => {
  it(
    'warns of keys without effect, once, and of misspelt ones; all others are taken without a word',
    inAWorld(async (world) => {
      assert.deepEqual(
        await set(world, 'config-deployment', { 'queue-sidecar-cpu-limit': '2', 'progress-deadline': '9s' }),
        [
          'Warning: no effect in Knode: data[queue-sidecar-cpu-limit] (on a cluster it says what the queue-proxy container ' +
            'may use; Knode has no such container, its gateway does that work)',
        ],
      )
      assert.deepEqual(await set(world, 'config-deployment', { 'progress-deadline': '10s' }), [], 'it was told before')
      assert.deepEqual(await set(world, 'config-observability', { 'metrics-protocol': 'prometheus' }), [])
      assert.deepEqual(await set(world, 'config-autoscaler', { 'stable-windw': '10s', 'stable-window': '10s' }), [
        'Warning: nothing reads this key: data[stable-windw] (did you mean stable-window?)',
      ])
      const [warning, ...more] = await set(world, 'config-sugar', { 'trigger-selector': '{}' }, 'knative-eventing')
      assert.match(warning ?? '', /^Warning: no effect in Knode: data\[trigger-selector\] \(.*apply the Broker\)$/)
      assert.deepEqual(more, [])
      const tracing = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'config-tracing' },
        data: { backend: 'x' },
      }
      assert.deepEqual(await apply(world, JSON.stringify(tracing)), [], 'one in another namespace is not Knative’s')
    }),
  )

  it(
    'lets fields through of which nothing comes, and who uses one is told, once for all that is made of it',
    inAWorld(async (world) => {
      assert.deepEqual(await set(world, 'config-features', { 'kubernetes.podspec-nodeselector': 'enabled' }), [])
      const why = '(Knode runs everything on its own machine and schedules nothing)'
      const containers = [{ name: 'a', image: 'gcr.io/knative-samples/helloworld-go' }]
      const spec = { containers, nodeSelector: { gpu: 'yes' } }
      const told = (path: string): string[] => [`Warning: no effect in Knode: ${path}.nodeSelector ${why}`]
      const service = aService('shop', { spec })
      assert.deepEqual(await apply(world, service), told('spec.template.spec'))
      assert.deepEqual(await warnings(world, ['label', 'ksvc', 'shop', 'team=a']), [], 'its template is no other')
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'shop' }, spec }
      assert.deepEqual(await apply(world, JSON.stringify(pod)), told('spec'))
      const template = { metadata: { labels: { app: 'a' } }, spec }
      const selector = { matchLabels: { app: 'a' } }
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'shop' },
        spec: { selector, template },
      }
      assert.deepEqual(await apply(world, JSON.stringify(deployment)), told('spec.template.spec'))
    }),
  )

  it(
    'makes a program that speaks HTTP/2 alone ready as soon as autodetect-http2 is enabled, in the Pod there is',
    inAWorld(async (world) => {
      const { kubectl, ready } = world
      await apply(world, anHttp2Service('shop', [{ containerPort: 8080 }]))
      const pods = ['get', 'pods', '-l', 'serving.knative.dev/service=shop', '-o']
      const shown = 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount}{"\\n"}{end}'
      const failures = ['get', 'events', '--field-selector', 'reason=Unhealthy', '-o', 'name']
      await eventually(async () => (await kubectl.ok(failures)) !== '', 'a failed probe')
      const before = await kubectl.ok([...pods, shown])
      assert.match(before, /^shop-00001-deployment-\S+ 0\n$/)
      assert.deepEqual(await set(world, 'config-features', { 'autodetect-http2': 'enabled' }), [])
      await ready('shop')
      assert.equal(await kubectl.ok([...pods, shown]), before)
    }),
  )

  it(
    'need not say so for a port that is named h2c',
    inAWorld(async (world) => {
      await apply(world, anHttp2Service('shop', [{ name: 'h2c' }]))
      await world.ready('shop')
      assert.equal((await world.ask('shop')).body, 'by HTTP/2')
    }),
  )
})
