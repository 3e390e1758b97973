import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDigestReference, registryOf } from './image-reference.ts'

test('the registry of an image is its first part, if that can be a host', () => {
  const rows: [image: string, registry: string][] = [
    ['ghcr.io/knative/helloworld-go:latest', 'ghcr.io'],
    ['localhost/x', 'localhost'],
    ['my-host:5000/x/y', 'my-host:5000'],
    ['knative/helloworld', 'index.docker.io'],
    ['busybox:1.36', 'index.docker.io'],
  ]
  for (const [image, registry] of rows) assert.equal(registryOf(image), registry)
})

test('only a digest pins an image', () => {
  assert.equal(isDigestReference(`ghcr.io/x@sha256:${'0'.repeat(64)}`), true)
  assert.equal(isDigestReference('ghcr.io/x:v1'), false)
})
