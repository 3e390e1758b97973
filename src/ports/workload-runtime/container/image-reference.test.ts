import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPullPolicy, engineName, isLocalImage, parseImage } from './image-reference.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

test('image references fall apart as the grammar says', () => {
  assert.deepEqual(parseImage('nginx'), { registry: 'docker.io', name: 'nginx', tag: 'latest' })
  assert.deepEqual(parseImage('shop/cart:v1'), { registry: 'docker.io', name: 'shop/cart', tag: 'v1' })
  assert.deepEqual(parseImage('localhost:5000/cart'), {
    registry: 'localhost:5000',
    name: 'localhost:5000/cart',
    tag: 'latest',
  })
  assert.deepEqual(parseImage(`gcr.io/a/b:v2@${digest}`), { registry: 'gcr.io', name: 'gcr.io/a/b', tag: 'v2', digest })
  for (const none of ['', 'No Image', 'a:', '-x', 'a@sha256:12', 'a:b:c d'])
    assert.equal(parseImage(none), undefined, none)
})

test('the engine is asked by digest where there is one', () => {
  assert.equal(engineName(parseImage(`gcr.io/a/b:v2@${digest}`)!), `gcr.io/a/b@${digest}`)
  assert.equal(engineName(parseImage('a/b')!), 'a/b:latest')
})

test('only what is called latest is pulled every time', () => {
  assert.equal(defaultPullPolicy(parseImage('a')!), 'Always')
  assert.equal(defaultPullPolicy(parseImage('a:v1')!), 'IfNotPresent')
  assert.equal(defaultPullPolicy(parseImage(`a@${digest}`)!), 'IfNotPresent')
})

test('images of registries that exist nowhere are local', () => {
  for (const local of ['localhost/a', 'ko.local/a', 'kind.local/a', 'dev.local/a:v1']) {
    assert.equal(isLocalImage(parseImage(local)!), true, local)
  }
  assert.equal(isLocalImage(parseImage('localhost:5000/a')!), false)
})
