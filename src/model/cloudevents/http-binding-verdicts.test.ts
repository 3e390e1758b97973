// What an ingress takes and what it refuses: verdicts of Knative's, and where Knode knowingly differs.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvalidEventError } from '../../base/errors.ts'
import type { AttributeValue } from './event.ts'
import { readBatch, readEvent } from './http-binding.ts'
import { binary, jsonOf, minimal, structured, text } from './test-messages.ts'

describe('an ingress refuses', () => {
  const without =
    (name: string): (() => unknown) =>
    () => {
      const { [name as keyof typeof minimal]: _, ...rest } = minimal
      return readEvent(rest, Buffer.alloc(0))
    }
  const rows: [what: string, read: () => unknown, told: RegExp][] = [
    ['a missing specversion', without('ce-specversion'), /header ce-specversion is missing/],
    ['an unknown specversion', () => binary({ 'ce-specversion': '2.0' }), /"specversion" is "2\.0", not 1\.0 or 0\.3/],
    ['an empty specversion', () => binary({ 'ce-specversion': '' }), /"specversion" is ""/],
    ['a missing id', without('ce-id'), /attribute "id" is missing/],
    ['a missing source', without('ce-source'), /attribute "source" is missing/],
    ['a missing type', without('ce-type'), /attribute "type" is missing/],
    ['an empty id', () => binary({ 'ce-id': '' }), /attribute "id" is empty/],
    ['an empty source', () => binary({ 'ce-source': '' }), /attribute "source" is empty/],
    ['an empty type', () => binary({ 'ce-type': '' }), /attribute "type" is empty/],
    ['an id of spaces', () => binary({ 'ce-id': '%20' }), /attribute "id" is empty/],
    ['an unparsable source', () => binary({ 'ce-source': '%25zz' }), /"source" is no URI-reference: "%zz"/],
    ['a space in the host of source', () => binary({ 'ce-source': 'http://a b/' }), /"source" is no URI-reference/],
    [
      'a relative dataschema',
      () => binary({ 'ce-dataschema': '/s.json' }),
      /"dataschema" is no absolute URI: "\/s\.json"/,
    ],
    ['a bad time', () => binary({ 'ce-time': 'yesterday' }), /"time" is no RFC 3339 timestamp: "yesterday"/],
    ['an empty time', () => binary({ 'ce-time': '' }), /"time" is no RFC 3339 timestamp/],
    ['a time with lower-case t', () => binary({ 'ce-time': '2024-01-01t00:00:00Z' }), /"time" is no RFC 3339/],
    ['a time with lower-case z', () => binary({ 'ce-time': '2024-01-01T00:00:00z' }), /"time" is no RFC 3339/],
    ['a time with a space', () => binary({ 'ce-time': '2024-01-01 00:00:00Z' }), /"time" is no RFC 3339/],
    [
      'broken parameters of the content type',
      () => binary({ 'content-type': 'a/b; c' }),
      /"datacontenttype" is no media type: "a\/b; c"/,
    ],
    [
      'an extension with _',
      () => binary({ 'ce-my_ext': 'x' }),
      /header "ce-my_ext": attribute name "my_ext" has characters other/,
    ],
    ['an extension with -', () => binary({ 'ce-my-ext': 'x' }), /header "ce-my-ext": attribute name "my-ext"/],
    [
      'ce-datacontenttype',
      () => binary({ 'ce-datacontenttype': 'a/b' }),
      /"ce-datacontenttype": .* belongs into Content-Type/,
    ],
    ['ce-data', () => binary({ 'ce-data': 'x' }), /"ce-data": attribute name "data" is taken/],
    ['a header named exactly ce-', () => binary({ 'ce-': 'x' }), /header "ce-": the attribute name is missing/],
    ['invalid UTF-8', () => binary({ 'ce-subject': '%C0%A0' }), /header "ce-subject": the value is not UTF-8/],
    [
      'control characters',
      () => binary({ 'ce-subject': 'a%0Ab' }),
      /"subject" contains the forbidden character U\+000A/,
    ],
    [
      'no event at all',
      () => readEvent({ 'content-type': 'application/json' }, Buffer.from('{}')),
      /no ce- headers.*"application\/json"/,
    ],
    [
      'a format it does not know',
      () => readEvent({ 'content-type': 'application/cloudevents+xml' }, Buffer.alloc(0)),
      /"application\/cloudevents\+xml" is not supported/,
    ],
    [
      'a batch where one event is expected',
      () => readEvent({ 'content-type': 'application/cloudevents-batch+json' }, Buffer.from('[]')),
      /batch/,
    ],
    [
      'one event where a batch is expected',
      () => readBatch(minimal, Buffer.alloc(0)),
      /not application\/cloudevents-batch\+json/,
    ],
    ['structured: no specversion', () => structured({ specversion: undefined }), /"specversion" is missing/],
    ['structured: a numeric id', () => structured({ id: 1 }), /attribute "id" is not a string/],
    ['structured: a null id', () => structured({ id: null }), /attribute "id" is missing/],
    ['structured: an object as extension', () => structured({ ext: {} }), /attribute "ext" is an object/],
    ['structured: an array as extension', () => structured({ ext: [1] }), /attribute "ext" is an array/],
    [
      'structured: an integer beyond 32 bits',
      () => structured({ ext: 2 ** 31 }),
      /attribute "ext" is the number 2147483648/,
    ],
    ['structured: a fraction', () => structured({ ext: 5.7 }), /attribute "ext" is the number 5\.7; only integers/],
    [
      'structured: an exponent',
      () => structured(jsonOf({}).replace('}', ',"ext":1e2}')),
      /attribute "ext" is the number 1e2/,
    ],
    ['structured: a boolean subject', () => structured({ subject: true }), /attribute "subject" is not a string/],
    ['structured: trailing bytes', () => structured(`${jsonOf({})} x`), /unexpected "x" at byte \d+/],
    ['structured: a cut body', () => structured(jsonOf({}).slice(0, -1)), /it ends too early, after \d+ bytes/],
    ['structured: an empty body', () => structured(''), /it ends too early, after 0 bytes/],
    ['structured: no object', () => structured('"x"'), /an event is a JSON object, not a string/],
    ['structured: an array', () => structured('[]'), /an event is a JSON object, not an array/],
    ['structured: bad base64', () => structured({ data_base64: '***' }), /"data_base64" is no base64/],
    [
      'structured: bad base64 of version 0.3',
      () => structured({ specversion: '0.3', datacontentencoding: 'base64', data: '***' }),
      /"data" is no base64/,
    ],
    ['structured: base64 of another type', () => structured({ data_base64: 5 }), /no base64/],
    [
      'structured: an object under text/plain',
      () => structured({ datacontenttype: 'text/plain', data: {} }),
      /"data" is an object, not a string, though datacontenttype is "text\/plain"/,
    ],
    [
      'structured: data and data_base64',
      () => structured({ data: 1, data_base64: 'AA==' }),
      /both "data" and "data_base64"/,
    ],
    ['structured: an extension with _', () => structured({ my_ext: 'x' }), /attribute name "my_ext"/],
    ['structured: an extension named Data', () => structured({ Data: 'x' }), /member "Data" must be spelt "data"/],
    [
      'structured: bytes that are not UTF-8',
      () => readEvent({ 'content-type': 'application/cloudevents+json' }, Buffer.from([0x22, 0xff, 0x22])),
      /not UTF-8/,
    ],
    [
      'structured: half a surrogate pair',
      () => structured(jsonOf({}).replace('"t"', String.raw`"\ud800"`)),
      /half of a surrogate pair/,
    ],
    [
      'structured: broken JSON inside data',
      () => structured(jsonOf({}).replace('}', ',"data":{"a":01}}')),
      /unexpected "1" at byte/,
    ],
    ['structured: nesting without end', () => structured('['.repeat(200_000)), /unexpected/],
  ]
  for (const [what, read, told] of rows) {
    it(what, () => {
      assert.throws(read, (error) => error instanceof InvalidEventError && told.test(error.message))
    })
  }

  it('everything that is wrong at once', () => {
    assert.throws(
      () => binary({ 'ce-id': '', 'ce-time': 'x', 'ce-a_b': '1' }),
      (error: Error) => ['"ce-a_b"', '"id" is empty', '"time"'].every((part) => error.message.includes(part)),
    )
  })
})

describe('an ingress accepts', () => {
  const rows: [
    what: string,
    read: () => ReturnType<typeof readEvent>,
    name: string,
    value: AttributeValue | undefined,
  ][] = [
    ['specversion 0.3 and leaves it', () => binary({ 'ce-specversion': '0.3' }), 'specversion', '0.3'],
    ['schemaurl of 0.3', () => binary({ 'ce-specversion': '0.3', 'ce-schemaurl': '/s' }), 'schemaurl', '/s'],
    ['an empty subject and drops it', () => binary({ 'ce-subject': '' }), 'subject', undefined],
    ['an empty content type and drops it', () => binary({ 'content-type': '' }), 'datacontenttype', undefined],
    ['datacontenttype foo', () => binary({ 'content-type': 'foo' }), 'datacontenttype', 'foo'],
    [
      'a long extension name',
      () => binary({ 'ce-anextensionwithaverylongname': 'x' }),
      'anextensionwithaverylongname',
      'x',
    ],
    ['an empty extension and keeps it', () => binary({ 'ce-ext': '' }), 'ext', ''],
    [
      'a time with offset, made UTC to the nanosecond',
      () => binary({ 'ce-time': '2024-01-01T01:00:00.123456780+01:00' }),
      'time',
      '2024-01-01T00:00:00.12345678Z',
    ],
    ['a relative source', () => binary({ 'ce-source': 'shop' }), 'source', 'shop'],
    ['structured: upper-case extension names, lower-cased', () => structured({ MyExt: 'x' }), 'myext', 'x'],
    [
      'structured: duplicate members, the last counts',
      () => structured(jsonOf({}).replace('}', ',"ext":1,"ext":2}')),
      'ext',
      2,
    ],
    ['structured: null as unset', () => structured({ ext: null }), 'ext', undefined],
    ['structured: booleans', () => structured({ ext: false }), 'ext', false],
    ['structured: the largest integer', () => structured({ ext: 2 ** 31 - 1 }), 'ext', 2 ** 31 - 1],
    ['structured: the smallest integer', () => structured({ ext: -(2 ** 31) }), 'ext', -(2 ** 31)],
    ['structured: white space around', () => structured(` \r\n\t${jsonOf({})}\n`), 'id', '1'],
    [
      'structured: escapes in names and values',
      () => structured(String.raw`{"specversion":"1.0","\u0069d":"\u6e34","source":"/s","type":"t"}`),
      'id',
      '渴',
    ],
    [
      'structured: headers beside the body, which wins',
      () =>
        readEvent(
          { ...minimal, 'ce-id': 'header', 'content-type': 'application/cloudevents+json' },
          Buffer.from(jsonOf({ id: 'body' })),
        ),
      'id',
      'body',
    ],
    [
      'structured: any charset, read as UTF-8',
      () =>
        readEvent(
          { 'content-type': 'application/cloudevents+json; charset=latin1' },
          Buffer.from(jsonOf({ subject: 'ü' })),
        ),
      'subject',
      'ü',
    ],
  ]
  for (const [what, read, name, value] of rows) {
    it(what, () => assert.deepEqual(read().event.attributes.get(name), value))
  }

  it('structured: an object as data under any +json type', () => {
    assert.equal(text(structured({ datacontenttype: 'application/vnd.x+json', data: { a: 1 } }).event.data), '{"a":1}')
  })
})
