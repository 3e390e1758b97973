// Events in HTTP messages: what an ingress takes, what it refuses, and what it passes on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvalidEventError } from '../../base/errors.ts'
import type { AttributeValue } from './event.ts'
import { cloudEvent } from './event.ts'
import {
  binaryHeaders,
  contentModeOf,
  readBatch,
  readEvent,
  writeBatch,
  writeBinary,
  writeStructured,
} from './http-binding.ts'

const minimal = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const binary = (headers: Record<string, string> = {}, body = ''): ReturnType<typeof readEvent> =>
  readEvent({ ...minimal, ...headers }, Buffer.from(body))
const structured = (members: Record<string, unknown> | string): ReturnType<typeof readEvent> =>
  readEvent({ 'content-type': 'application/cloudevents+json' }, Buffer.from(jsonOf(members)))
const jsonOf = (members: Record<string, unknown> | string): string =>
  typeof members === 'string'
    ? members
    : JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', ...members })
const attributes = ({
  event,
}: {
  event: { attributes: ReadonlyMap<string, AttributeValue> }
}): Record<string, AttributeValue> => Object.fromEntries(event.attributes)
const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString()

describe('the content mode', () => {
  const rows: [contentType: string | undefined, mode: string, modeWithoutAttributes: string][] = [
    [undefined, 'binary', 'none'],
    ['application/json', 'binary', 'none'],
    ['application/cloudevents+json', 'structured', 'structured'],
    ['Application/CloudEvents+JSON; charset=UTF-16', 'structured', 'structured'],
    ['application/cloudevents-batch+json', 'batch', 'batch'],
    ['application/cloudevents-batch+json; charset=utf-8', 'batch', 'batch'],
    ['application/cloudevents+xml', 'binary', 'none'],
    ['application/cloudevents', 'binary', 'none'],
    ['application/cloudevents-batch+xml', 'binary', 'none'],
  ]
  for (const [contentType, mode, without] of rows) {
    it(`of ${contentType ?? 'no Content-Type'} is ${mode}, and ${without} without attributes`, () => {
      assert.equal(contentModeOf({ ...minimal, 'content-type': contentType }), mode)
      assert.equal(contentModeOf({ 'content-type': contentType }), without)
    })
  }
})

describe('binary mode', () => {
  it('takes attributes from headers in any case, the first of duplicates, and the body untouched', () => {
    const body = Buffer.from([0, 1, 255])
    const raw = ['Ce-SpecVersion', '1.0', 'CE-ID', '1', 'ce-id', '2', 'ce-source', '/s', 'ce-type', 't', 'ce-Ext', 'x']
    const message = readEvent([...raw, 'Content-Type', 'image/png', 'content-type', 'text/plain'], body)
    assert.deepEqual(attributes(message), {
      specversion: '1.0',
      id: '1',
      source: '/s',
      type: 't',
      ext: 'x',
      datacontenttype: 'image/png',
    })
    assert.equal(message.event.data, body)
    assert.equal(readEvent({ ...minimal, 'ce-ext': ['first', 'second'] }, body).event.attributes.get('ext'), 'first')
  })

  it('invents neither time nor content type, and has no data without a body', () => {
    assert.deepEqual(attributes(binary()), { specversion: '1.0', id: '1', source: '/s', type: 't' })
    assert.equal(binary().event.data, undefined)
  })

  it('decodes values once, leniently, from the bytes that Node hands over', () => {
    const raw = Buffer.from('渴了').toString('latin1')
    const message = binary({ 'ce-id': '100%', 'ce-subject': 'a%20%E2%82%AC%2520', 'ce-x': raw, 'ce-y': '"q \\" q"' })
    const { id, subject, x, y } = attributes(message)
    assert.deepEqual({ id, subject, x, y }, { id: '100%', subject: 'a €%20', x: '渴了', y: 'q " q' })
  })

  it('passes on tracing and Knative headers and nothing else', () => {
    const passed = {
      traceparent: '00-1-2-01',
      tracestate: 'a=1',
      baggage: 'k=v',
      'x-request-id': 'r',
      'x-b3-traceid': 'b',
      'knative-custom': 'c',
    }
    const dropped = {
      authorization: 'Bearer x',
      cookie: 'c',
      'user-agent': 'u',
      'retry-after': '1',
      prefer: 'reply',
      host: 'h',
    }
    assert.deepEqual(binary({ ...passed, ...dropped }).headers, passed)
    assert.deepEqual(structured({ x: 1 }).headers, {})
    const raw = [
      'Tracestate',
      'a=1',
      'TraceState',
      'b=2',
      'Baggage',
      'k=1',
      'baggage',
      'l=2',
      'X-Request-Id',
      '1',
      'x-request-id',
      '2',
    ]
    assert.deepEqual(readEvent([...Object.entries(minimal).flat(), ...raw], Buffer.alloc(0)).headers, {
      tracestate: 'a=1,b=2',
      baggage: 'k=1,l=2',
      'x-request-id': '1',
    })
  })

  it('reads thousands of headers in a moment', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`ce-e${index}`, String(index)]))
    assert.equal(binary(many).event.attributes.size, 5_004)
  })
})

// Verdicts of Knative's ingress, and where Knode knowingly differs.
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

describe('a batch', () => {
  const read = (events: unknown[]): ReturnType<typeof readBatch> =>
    readBatch(
      { 'content-type': 'application/cloudevents-batch+json', traceparent: 'p' },
      Buffer.from(JSON.stringify(events)),
    )
  const event = { specversion: '1.0', source: '/s', type: 't' }

  it('is a list of events in order, each with the passed-on headers', () => {
    const messages = read([
      { ...event, id: '1', data: [1] },
      { ...event, id: '2', datacontenttype: 'text/plain', data: 'x' },
    ])
    assert.deepEqual(
      messages.map((message) => [attributes(message).id, text(message.event.data), message.headers]),
      [
        ['1', '[1]', { traceparent: 'p' }],
        ['2', 'x', { traceparent: 'p' }],
      ],
    )
  })

  it('may be empty', () => assert.deepEqual(read([]), []))

  it('comes back from what is written, of whatever data', () => {
    const events = [Buffer.from('{"a":1}'), Buffer.from([0, 255]), undefined].map((data, index) =>
      cloudEvent(
        { ...event, id: String(index), datacontenttype: data?.[0] === 0 ? 'image/png' : 'application/json' },
        data,
      ),
    )
    for (const some of [events, events.slice(1, 2), []]) {
      const { headers, body } = writeBatch(some)
      assert.deepEqual(headers, { 'content-type': 'application/cloudevents-batch+json' })
      const messages = readBatch(headers, body)
      assert.deepEqual(
        messages.map(attributes),
        some.map(({ attributes: all }) => Object.fromEntries(all)),
      )
      assert.deepEqual(
        messages.map((message) => message.event.data && Buffer.from(message.event.data)),
        some.map(({ data }) => data),
      )
    }
  })

  it('is refused as a whole, naming the first wrong event', () => {
    assert.throws(
      () => read([{ ...event, id: '1' }, { ...event }]),
      /event \[1\] of the batch: attribute "id" is missing/,
    )
    assert.throws(
      () => read([{ ...event, id: '1' }, 5]),
      /event \[1\] of the batch: an event is a JSON object, not a number/,
    )
    assert.throws(
      () =>
        read([
          { ...event, id: '1' },
          { ...event, id: '2', specversion: '0.3' },
        ]),
      /event \[1\] .* another specversion/,
    )
    assert.throws(
      () => readBatch({ 'content-type': 'application/cloudevents-batch+json' }, Buffer.from('{}')),
      /no JSON array/,
    )
  })
})

describe('writing', () => {
  it('binary puts attributes into headers, percent-encoded, and data into the body', () => {
    const event = cloudEvent(
      { id: '1', source: '/s', type: 't', subject: 'ü "%"', n: 5, b: true, datacontenttype: 'text/plain' },
      'x',
    )
    const { headers, body } = writeBinary({ event, headers: { traceparent: 'p' } })
    assert.deepEqual(headers, {
      traceparent: 'p',
      'ce-id': '1',
      'ce-source': '/s',
      'ce-type': 't',
      'ce-subject': '%C3%BC%20%22%25%22',
      'ce-n': '5',
      'ce-b': 'true',
      'content-type': 'text/plain',
      'ce-specversion': '1.0',
    })
    assert.equal(text(body), 'x')
    assert.equal(writeBinary(cloudEvent({ id: '1' })).body.length, 0)
  })

  it('binary gives the same headers as a list, without an attribute if so asked', () => {
    const event = cloudEvent({ id: '1', source: '/s', subject: 'ü', hops: 5, datacontenttype: 'text/plain' })
    const message = { event, headers: { traceparent: 'p' } }
    const { headers } = writeBinary(message)
    assert.deepEqual(binaryHeaders(message), Object.entries(headers).flat())
    delete headers['ce-hops']
    assert.deepEqual(binaryHeaders(message, 'hops'), Object.entries(headers).flat())
  })

  it('structured puts everything into one JSON object', () => {
    const event = cloudEvent({ id: '1', source: '/s', type: 't', n: 5 }, '{"a":1}')
    const { headers, body } = writeStructured({ event, headers: { traceparent: 'p' } })
    assert.deepEqual(headers, { traceparent: 'p', 'content-type': 'application/cloudevents+json' })
    assert.equal(text(body), '{"id":"1","source":"/s","type":"t","n":5,"specversion":"1.0","data":{"a":1}}')
  })

  it('and reading again gives the same event, in either mode', () => {
    const bodies: [contentType: string | undefined, data: Uint8Array | undefined][] = [
      [undefined, undefined],
      [undefined, Buffer.from('{"b":1,"a":12345678901234567890,"b":2}')],
      [undefined, Buffer.from('not JSON')],
      ['application/json', Buffer.from(' [1.0, "\\u00e9"] ')],
      ['application/json', Buffer.from('"text"')],
      ['application/json', Buffer.from('null')],
      ['application/json', Buffer.from('{broken')],
      ['application/vnd.x+json', Buffer.from('{"a":1}')],
      ['text/plain', Buffer.from('渴了 "\n')],
      ['text/plain; charset=iso-8859-1', Buffer.from([0xe9])],
      ['text/plain', Buffer.from([0xff, 0xfe])],
      ['application/octet-stream', Buffer.from([0, 1, 2, 255])],
      ['application/octet-stream', Buffer.from('readable')],
      ['image/svg+xml', Buffer.from('<svg/>')],
    ]
    for (const specversion of ['1.0', '0.3']) {
      for (const [datacontenttype, data] of bodies) {
        const event = cloudEvent(
          { specversion, id: 'ü 1', source: '/s', type: 't', subject: '100%', datacontenttype },
          data,
        )
        for (const write of [writeBinary, writeStructured]) {
          const { headers, body } = write(event)
          const read = readEvent(headers, body).event
          assert.deepEqual(Object.fromEntries(read.attributes), Object.fromEntries(event.attributes))
          // White space around JSON is all that the embedding may lose.
          const isJson = write === writeStructured && /json/.test(datacontenttype ?? '')
          assert.equal(isJson ? text(read.data)?.trim() : text(read.data), isJson ? text(data)?.trim() : text(data))
        }
      }
    }
  })
})
