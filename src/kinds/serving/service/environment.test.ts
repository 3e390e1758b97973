import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Container } from '../../../model/serving/container-schema.ts'
import { makeEnvironment, sourcesOf } from './environment.ts'

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

const environmentOf = (container: Container): Record<string, string> =>
  makeEnvironment(container, { service: 'hello', revision: 'hello-00001' }, (kind, name) => objects[`${kind} ${name}`])

const contract = { K_SERVICE: 'hello', K_CONFIGURATION: 'hello', K_REVISION: 'hello-00001' }

test('every program knows its Service, Configuration and Revision', () => {
  assert.deepEqual(environmentOf({}), contract)
})

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
    ...contract,
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
  assert.deepEqual(environmentOf(optional), contract)
})

test('the objects that variables come from are known, each once', () => {
  const container: Container = {
    envFrom: [{ configMapRef: { name: 'settings' } }],
    env: [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
    ],
  }
  assert.deepEqual(sourcesOf(container), [
    { kind: 'ConfigMap', name: 'settings' },
    { kind: 'Secret', name: 'keys' },
  ])
})
