import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { Volume } from '../../model/kubernetes/pod/volume-schema.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { volumeFiles } from './volume-content.ts'

const objects: Record<string, Resource & { data?: Record<string, string>; binaryData?: Record<string, string> }> = {
  'ConfigMap settings': {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { 'a.txt': 'A', 'b.txt': 'B' },
    binaryData: { bin: Buffer.from([0, 255]).toString('base64') },
  },
  'Secret keys': {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'default' },
    data: { token: Buffer.from('s3cret').toString('base64') },
  },
}
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', resources: { limits: { memory: '64Mi' } } }] },
}

/** Path, content and octal permissions of each file. */
function shown(volume: Volume): string[] | undefined {
  const files = volumeFiles(volume, {
    pod,
    find: (kind, name) => objects[`${kind} ${name}`],
    token: ({ audience, expirationSeconds }) => `${audience} for ${expirationSeconds}`,
  })
  return (
    files && [...files].map(([path, { content, mode }]) => `${path} ${content.toString('latin1')} ${mode.toString(8)}`)
  )
}

test('a ConfigMap gives a file for each key, binary ones too', () => {
  assert.deepEqual(shown({ name: 'v', configMap: { name: 'settings' } }), [
    'a.txt A 644',
    'b.txt B 644',
    'bin \u0000ÿ 644',
  ])
})

test('items choose keys, paths and permissions', () => {
  const items = [{ key: 'b.txt', path: 'deep/b', mode: 0o400 }]
  assert.deepEqual(shown({ name: 'v', configMap: { name: 'settings', items, defaultMode: 0o600 } }), ['deep/b B 400'])
  assert.deepEqual(shown({ name: 'v', secret: { secretName: 'keys', defaultMode: 0o600 } }), ['token s3cret 600'])
})

test('projected sources are put together, later ones win', () => {
  const sources = [
    { configMap: { name: 'settings', items: [{ key: 'a.txt', path: 'x' }] } },
    { secret: { name: 'keys', items: [{ key: 'token', path: 'x' }] } },
    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      downwardAPI: { items: [{ path: 'memory', resourceFieldRef: { containerName: 'c', resource: 'limits.memory' } }] },
    },
    { serviceAccountToken: { audience: 'me', expirationSeconds: 600, path: 'jwt' } },
  ]
  assert.deepEqual(shown({ name: 'v', projected: { sources, defaultMode: 0o440 } }), [
    'x s3cret 440',
    'labels app="a" 440',
    'memory 67108864 440',
    'jwt me for 600 440',
  ])
})

test('what is missing is told, unless it is optional', () => {
  const rows: [Volume, string][] = [
    [{ name: 'v', configMap: { name: 'nowhere' } }, 'configmap "nowhere" not found'],
    [{ name: 'v', secret: { secretName: 'nowhere' } }, 'secret "nowhere" not found'],
    [
      { name: 'v', configMap: { name: 'settings', items: [{ key: 'z', path: 'z' }] } },
      'references non-existent configmap key: z',
    ],
    [{ name: 'v', nfs: { server: 'a' } }, 'volume "v": volumes of type nfs are not supported'],
  ]
  for (const [volume, message] of rows) assert.throws(() => shown(volume), { code: 'WORKLOAD_FAILED', message })
  assert.deepEqual(shown({ name: 'v', configMap: { name: 'nowhere', optional: true } }), [])
})

test('directories of the Pod’s own and of the machine are not filled', () => {
  assert.equal(shown({ name: 'v', emptyDir: {} }), undefined)
  assert.equal(shown({ name: 'v', hostPath: { path: '/tmp' } }), undefined)
})
