import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJsonPath } from './json-path.ts'

const object = {
  metadata: { labels: { 'eventing.knative.dev/broker': 'shop' } },
  spec: { replicas: 3, empty: null, ports: [{ name: 'http', port: 80 }, { port: 443 }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Busy' },
      { type: 'Addressable', status: 'True' },
    ],
  },
}

test('columns read fields, elements and the condition they ask for, in any notation', () => {
  for (const [path, wanted] of [
    ['.spec.replicas', [3]],
    ['{.spec.replicas}', [3]],
    ['$.spec.replicas', [3]],
    ['spec.replicas', [3]],
    ['.spec.empty', [null]],
    ['.spec.missing.deeper', []],
    ['.spec.ports[0].port', [80]],
    ['.spec.ports[-1].port', [443]],
    ['.spec.ports[5].port', []],
    ['.spec.ports[*].port', [80, 443]],
    ['.spec.ports[?(@.name)].port', [80]],
    ['.spec.ports[?(@.port==443)].port', [443]],
    ['.status.conditions[?(@.type=="Ready")].status', ['False']],
    [".status.conditions[?(@.type=='Ready')].reason", ['Busy']],
    ['.status.conditions[?(@.type != "Ready")].type', ['Addressable']],
    ['.status.conditions[?(@.type=="Gone")].status', []],
    ['.metadata.labels.eventing\\.knative\\.dev/broker', ['shop']],
    [".metadata.labels['eventing.knative.dev/broker']", ['shop']],
    ['.metadata.labels["eventing.knative.dev/broker"]', ['shop']],
    [".metadata.labels['eventing\\.knative\\.dev/broker']", ['shop']],
  ] as const) {
    assert.deepEqual(parseJsonPath(path)(object), wanted, path)
  }
})

test('inherited names are no fields', () => {
  assert.deepEqual(parseJsonPath('.constructor.name')(object), [])
})

test('a path that does not parse names the place', () => {
  assert.throws(() => parseJsonPath('.spec[oops'), { code: 'USAGE', message: /does not parse at "\[oops"/ })
})
