import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseResourcePath } from './api-path.ts'

test('paths name group, version, namespace, plural, name and subresource', () => {
  for (const [path, wanted] of [
    ['/api/v1/configmaps', { group: '', version: 'v1', plural: 'configmaps' }],
    [
      '/api/v1/namespaces/a/configmaps/b/',
      { group: '', version: 'v1', namespace: 'a', plural: 'configmaps', name: 'b' },
    ],
    ['/api/v1/namespaces', { group: '', version: 'v1', plural: 'namespaces' }],
    ['/api/v1/namespaces/a', { group: '', version: 'v1', plural: 'namespaces', name: 'a' }],
    [
      '/api/v1/namespaces/a/finalize',
      { group: '', version: 'v1', plural: 'namespaces', name: 'a', subresource: 'finalize' },
    ],
    [
      '/apis/g.test/v1/namespaces/a/things/b/status',
      { group: 'g.test', version: 'v1', namespace: 'a', plural: 'things', name: 'b', subresource: 'status' },
    ],
    ['/apis/g.test/v1/things/a%2Fb', { group: 'g.test', version: 'v1', plural: 'things', name: 'a/b' }],
    [
      '/api/v1/namespaces/a/pods/b/proxy/x/y',
      { group: '', version: 'v1', namespace: 'a', plural: 'pods', name: 'b', subresource: 'proxy/x/y' },
    ],
  ] as const) {
    assert.deepEqual(parseResourcePath(path), wanted, path)
  }
})

test('everything else names nothing', () => {
  for (const path of [
    '/',
    '/api',
    '/api/v1',
    '/apis/g.test/v1',
    '/other/v1/things',
    '/api/v1//things',
    '/api/v1/%ff',
  ]) {
    assert.equal(parseResourcePath(path), undefined, path)
  }
})
