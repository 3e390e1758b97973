import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { logGroup, servingContainer, workloadSpec } from './workload-spec.ts'
import type { WorkloadContext } from './workload-spec.ts'

const aPod = (spec: PodSpec, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec,
})
const app: Container = { name: 'app', image: 'shop/app:1', ports: [{ containerPort: 8080 }] }

const specOf = (pod: Pod, container = pod.spec.containers![0]!, more: Partial<WorkloadContext> = {}) =>
  workloadSpec(container, { pod, find: () => undefined, volumePath: (name) => `/v/${name}`, restartCount: 0, ...more })

test('a container is named by Pod, container and restart, and its logs are found with its siblings’', () => {
  const pod = aPod({ containers: [app] })
  assert.equal(specOf(pod, app, { restartCount: 2 }).name, 'web_app_2')
  assert.equal(logGroup(pod), 'web')
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'owner', uid: 'u', controller: true }
  assert.equal(logGroup(aPod({}, { ownerReferences: [owner] })), 'owner')
  const labels = { 'serving.knative.dev/service': 'ksvc' }
  assert.equal(logGroup(aPod({}, { ownerReferences: [owner], labels })), 'ksvc')
})

test('command and arguments know the environment, in which later variables know earlier ones', () => {
  const container = { ...app, env: [{ name: 'A', value: 'a' }], command: ['run', '$(A)'], args: ['--x=$(A)', '$(B)'] }
  const { command, args, env } = specOf(aPod({ containers: [container] }))
  assert.deepEqual([command, args, env], [['run', 'a'], ['--x=a', '$(B)'], { A: 'a' }])
})

test('annotations run a process in place of the image: of the container that takes requests, or of the one they name', () => {
  const side: Container = { name: 'side', image: 'i', workingDir: '/in/the/image' }
  const annotations = {
    'knode.dev/command': 'node app.js',
    'knode.dev/workdir': '/src',
    'knode.dev/command.side': 'node side.js',
  }
  const pod = aPod({ containers: [side, app] }, { annotations })
  assert.deepEqual(servingContainer(pod.spec), app)
  const [forApp, forSide] = [specOf(pod, app), specOf(pod, side)]
  assert.deepEqual([forApp.processCommand, forApp.workdir], ['node app.js', '/src'])
  assert.deepEqual([forSide.processCommand, forSide.workdir], ['node side.js', '/src'])
  const plain = aPod({ containers: [side, app] }, { annotations: { 'knode.dev/function': 'f.ts' } })
  assert.deepEqual([specOf(plain, app).functionFile, specOf(plain, side).processCommand], ['f.ts', undefined])
  assert.equal(specOf(plain, side).workdir, '/in/the/image')
})

test('the container whose network is shared opens the ports of all, the others none of theirs', () => {
  const main: Container = { ...app, ports: [{ containerPort: 8080 }, { containerPort: 9090 }] }
  const side: Container = { name: 'side', image: 'i', readinessProbe: { tcpSocket: { port: 8882 } } }
  const pod = aPod({ containers: [main, side] })
  const { containerPort, otherPorts } = specOf(pod, main)
  assert.deepEqual([containerPort, otherPorts], [8080, [9090, 8882]])
})

test('limits, user and other options of security are passed on', () => {
  const container: Container = {
    ...app,
    resources: { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '1' } },
    securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  }
  const pod = aPod({
    containers: [container],
    securityContext: { runAsUser: 1, runAsGroup: 2000 },
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }],
  })
  const { resources, user, readOnlyRootFilesystem, capabilities, hostAliases } = specOf(pod)
  assert.deepEqual(resources, { cpuMillis: 250, memoryBytes: 67_108_864 })
  assert.deepEqual(user, { uid: 1000, gid: 2000 })
  assert.deepEqual([readOnlyRootFilesystem, capabilities], [true, { drop: ['ALL'] }])
  assert.deepEqual(hostAliases, [{ ip: '10.0.0.1', hostnames: ['db'] }])
})

test('root is refused where it is not wanted', () => {
  const container: Container = { ...app, securityContext: { runAsNonRoot: true, runAsUser: 0 } }
  assert.throws(() => specOf(aPod({ containers: [container] })), /container's runAsUser breaks non-root policy/)
})

test('credentials come from pull secrets; a secret that makes no sense gives none', () => {
  const auths = {
    'ghcr.io': { auth: Buffer.from('me:my:secret').toString('base64') },
    'example.com': { username: 'you', password: 'p' },
  }
  const secret = (text: string): Resource & { data: Record<string, string> } => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'shop' },
    data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
  })
  const pod = aPod({ containers: [app], imagePullSecrets: [{ name: 'good' }, { name: 'bad' }, { name: 'gone' }] })
  const stored: Record<string, Resource> = { good: secret(JSON.stringify({ auths })), bad: secret('nonsense') }
  assert.deepEqual(specOf(pod, app, { find: (_, name) => stored[name] }).imageCredentials, [
    { registry: 'ghcr.io', username: 'me', password: 'my:secret' },
    { registry: 'example.com', username: 'you', password: 'p' },
  ])
})
