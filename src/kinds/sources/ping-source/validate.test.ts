import assert from 'node:assert/strict'
import test from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { PingSourceSpec } from './schema.ts'
import { setPingSourceDefaults, validatePingSource } from './validate.ts'

const sink = { uri: 'http://sink.example/' }

function refusal(spec: PingSourceSpec, limits: Record<string, string> = {}): string {
  const source = {
    apiVersion: 'sources.knative.dev/v1',
    kind: 'PingSource',
    metadata: { name: 'ping', namespace: 'default' },
    spec,
  }
  const config = { data: (_: string, name: string) => (name === 'config-ping-defaults' ? limits : {}) }
  setPingSourceDefaults(source)
  return fieldErrorText(validatePingSource(source, { operation: 'create', user: { username: 'me' }, config }))
}

test('a PingSource is refused in upstream’s words, all causes at once', () => {
  const rows: [PingSourceSpec, string][] = [
    [{ sink }, ''],
    [{ sink, schedule: '@every 1s' }, 'invalid value: unsupported descriptor @every: spec.schedule'],
    [{ sink, schedule: 'x' }, 'invalid value: expected 5 to 6 fields, found 1: [x]: spec.schedule'],
    [{}, 'missing field(s): spec.sink'],
    [{ sink, data: 'a', dataBase64: 'YQ==' }, 'expected exactly one, got both: spec.data, spec.dataBase64'],
    [
      { sink, timezone: 'Nowhere' },
      'invalid value: provided bad location Nowhere: unknown time zone Nowhere: spec.timezone',
    ],
    [
      { sink, ceOverrides: { extensions: { 'a-b': 'x' } } },
      'invalid key name "a-b": spec.ceOverrides.extensions\nkeys are expected to be alphanumeric',
    ],
    [
      { sink, contentType: 'application/json', data: '[1]' },
      'invalid value: json: cannot unmarshal array into Go value of type map[string]interface {}: spec.data',
    ],
    [
      { schedule: 'x', timezone: 'Nowhere' },
      [
        'invalid value: expected 5 to 6 fields, found 1: [x]: spec.schedule',
        'invalid value: provided bad location Nowhere: unknown time zone Nowhere: spec.timezone',
        'missing field(s): spec.sink',
      ].join('\n'),
    ],
  ]
  for (const [spec, text] of rows) assert.equal(refusal(spec), text)
})

test('the size limit of config-ping-defaults counts data as written', () => {
  assert.equal(
    refusal({ sink, data: '12345' }, { 'data-max-size': '4' }),
    'invalid value: the data length of 5 bytes exceeds limit set at 4.: spec.data',
  )
  assert.equal(refusal({ sink, data: '1234' }, { 'data-max-size': '4' }), '')
})

test('without a schedule it runs every minute', () => {
  const source = {
    apiVersion: '',
    kind: '',
    metadata: { name: 'ping', namespace: 'shop' },
    spec: { sink: { ref: { kind: 'Broker', name: 'b' } } } as PingSourceSpec,
  }
  setPingSourceDefaults(source)
  assert.equal(source.spec.schedule, '* * * * *')
  assert.equal(source.spec.sink?.ref?.namespace, 'shop')
})
