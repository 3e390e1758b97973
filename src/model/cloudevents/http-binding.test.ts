// Events in HTTP messages: what is read of them, what is passed on, and how they are written.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
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
import { attributes, binary, minimal, structured, text } from './test-messages.ts'

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
