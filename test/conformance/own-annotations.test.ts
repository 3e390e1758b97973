// Each Knative kind says which annotations of Knode's it knows; any other is refused when it is applied.
import assert from 'node:assert/strict'
import test from 'node:test'
import { kinds } from '../../src/kinds/registry.ts'

const knative = kinds.filter(({ group }) => group.endsWith('knative.dev'))

for (const { group, kind, ownAnnotations } of knative) {
  test(`${kind}.${group} says which knode.dev annotations it knows`, () => {
    assert.ok(ownAnnotations !== undefined, `kind.ts of ${kind} needs ownAnnotations, [] if it knows none`)
    for (const name of ownAnnotations) assert.match(name, /^knode\.dev\/[a-z-]+(\.\*)?$/)
  })
}
