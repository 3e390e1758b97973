import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { makeEnvironment } from './environment.ts'
import { sourcesOf } from './pod-sources.ts'

const objects: Record<string, Resource & { data: Record<string, string> }> = {
  'ConfigMap settings': {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { COLOR: 'blue', SIZE: 'small' },
  },
  'Secret keys': {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'default' },
    data: { TOKEN: Buffer.from('s3cret').toString('base64') },
  },
}

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'hello', namespace: 'default', uid: 'u', labels: { app: 'a' }, annotations: { 'b/c': 'd' } },
  spec: { nodeName: 'knode', serviceAccountName: 'default' },
}

const environmentOf = (container: Container): Record<string, string> =>
  makeEnvironment(container, pod, (kind, name) => objects[`${kind} ${name}`])

test('variables come from values, ConfigMaps and Secrets; what comes later wins', () => {
  const env = environmentOf({
    envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'MY_', secretRef: { name: 'keys' } }],
    env: [
      { name: 'SIZE', value: 'large' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'TOKEN' } } },
      { name: 'SHADE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
      { name: 'EMPTY' },
    ],
  })
  assert.deepEqual(env, {
    COLOR: 'blue',
    SIZE: 'large',
    MY_TOKEN: 's3cret',
    TOKEN: 's3cret',
    SHADE: 'blue',
    EMPTY: '',
  })
})

test('a value may use variables that were set before', () => {
  const env = environmentOf({
    env: [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)/$(LATER)/$$(A)/$' },
      { name: 'LATER', value: 'x' },
    ],
  })
  assert.equal(env['B'], 'a/$(LATER)/$(A)/$')
})

test('variables and labels may be called like what every object of JavaScript has', () => {
  const env = environmentOf({
    env: [
      { name: 'A', value: '$(constructor)$(__proto__)' },
      { name: '__proto__', value: 'p' },
      { name: 'constructor', value: '$(__proto__)c' },
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['constructor']" } } },
    ],
  })
  assert.deepEqual(Object.entries(env), [
    ['A', '$(constructor)$(__proto__)'],
    ['__proto__', 'p'],
    ['constructor', 'pc'],
    ['LABEL', ''],
  ])
})

test('what is missing is told in Kubernetes’ words, unless it is optional', () => {
  const variable = (name: string, key: string, optional?: boolean) => ({
    name: 'A',
    valueFrom: { configMapKeyRef: { name, key, ...(optional === undefined ? {} : { optional }) } },
  })
  const rows: [Container, string][] = [
    [{ env: [variable('nowhere', 'k')] }, 'configmap "nowhere" not found'],
    [{ env: [variable('settings', 'k')] }, "couldn't find key k in ConfigMap default/settings"],
    [{ envFrom: [{ secretRef: { name: 'nowhere' } }] }, 'secret "nowhere" not found'],
  ]
  for (const [container, message] of rows) {
    assert.throws(() => environmentOf(container), { code: 'WORKLOAD_FAILED', message })
  }
  const optional = {
    envFrom: [{ secretRef: { name: 'nowhere', optional: true } }],
    env: [variable('settings', 'k', true)],
  }
  assert.deepEqual(environmentOf(optional), {})
})

test('facts about the Pod come by their path, resources in the unit that is asked for', () => {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  const resource = (name: string, key: string, divisor?: string) => ({
    name,
    valueFrom: { resourceFieldRef: { resource: key, ...(divisor === undefined ? {} : { divisor }) } },
  })
  const env = environmentOf({
    name: 'app',
    resources: { limits: { cpu: '1500m', memory: '64Mi' } },
    env: [
      field('NAME', 'metadata.name'),
      field('LABEL', "metadata.labels['app']"),
      field('NOTE', "metadata.annotations['b/c']"),
      field('LABELS', 'metadata.labels'),
      field('IP', 'status.podIP'),
      resource('CPU', 'limits.cpu'),
      resource('MILLIS', 'limits.cpu', '1m'),
      resource('MEMORY', 'limits.memory', '1Mi'),
      resource('WANTED', 'requests.memory'),
    ],
  })
  assert.deepEqual(env, {
    NAME: 'hello',
    LABEL: 'a',
    NOTE: 'd',
    LABELS: 'app="a"',
    IP: '127.0.0.1',
    CPU: '2',
    MILLIS: '1500',
    MEMORY: '64',
    WANTED: '0',
  })
  assert.throws(() => environmentOf({ env: [field('X', 'spec.nowhere')] }), /unsupported fieldPath: spec.nowhere/)
  assert.throws(() => environmentOf({ env: [resource('X', 'limits.gpus')] }), /unsupported container resource/)
})

test('the ConfigMaps and Secrets that a Pod names are known, each once', () => {
  const container: Container = {
    envFrom: [{ configMapRef: { name: 'settings' } }],
    env: [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
    ],
  }
  const spec = {
    containers: [container],
    initContainers: [{ envFrom: [{ secretRef: { name: 'first' } }] }],
    volumes: [
      { name: 'a', configMap: { name: 'files' } },
      { name: 'b', secret: { secretName: 'certs' } },
      { name: 'c', projected: { sources: [{ configMap: { name: 'more' } }, { secret: { name: 'keys' } }] } },
    ],
    imagePullSecrets: [{ name: 'login' }],
  }
  const named = sourcesOf(spec).map(({ kind, name }) => `${kind} ${name}`)
  assert.deepEqual(named, [
    'ConfigMap settings',
    'ConfigMap files',
    'ConfigMap more',
    'Secret first',
    'Secret keys',
    'Secret certs',
    'Secret login',
  ])
})

test('a value that no program can be told is refused, and not shown', () => {
  const secret = { ...objects['Secret keys']!, data: { PIN: Buffer.from('hunter2\0').toString('base64') } }
  const sources: Container[] = [
    { envFrom: [{ secretRef: { name: 'keys' } }] },
    { env: [{ name: 'PIN', valueFrom: { secretKeyRef: { name: 'keys', key: 'PIN' } } }] },
  ]
  for (const container of sources) {
    assert.throws(
      () => makeEnvironment(container, pod, () => secret),
      (error: Error) => /variable PIN .*null byte/.test(error.message) && !error.message.includes('hunter2'),
    )
  }
})
