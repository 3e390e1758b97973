// What senders get wrong, on the wire: each mistake has its status, and a body that says what is wrong and where.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aGateway, event, send, sendRaw } from './test-gateway.ts'
import type { Sent } from './test-gateway.ts'

const path = '/default/shop'
const binary = (headers: Record<string, string>): Sent => ({ path, headers: { ...event, ...headers }, body: 'x' })
const json = { 'content-type': 'application/cloudevents+json' }
const members = { specversion: '1.0', id: '1', source: '/test', type: 'test.made' }
const structured = (more: object): Sent => ({ path, headers: json, body: JSON.stringify({ ...members, ...more }) })
const batch = (body: string): Sent => ({
  path,
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body,
})

describe('a malformed event is answered 400, with what is wrong and where', () => {
  const rows: [what: string, sent: Sent, told: RegExp][] = [
    ['no event at all', { path, headers: { 'content-type': 'text/plain' }, body: 'x' }, /no ce- headers.*text\/plain/],
    ['an unknown specversion', binary({ 'ce-specversion': '2.0' }), /"specversion" is "2\.0", not 1\.0 or 0\.3/],
    ['two things at once', binary({ 'ce-id': '', 'ce-type': '' }), /"id" is empty[^]*"type" is empty/],
    ['an unparsable source', binary({ 'ce-source': 'http://a b/' }), /"source" is no URI-reference: "http:\/\/a b\/"/],
    ['a relative dataschema', binary({ 'ce-dataschema': '/x' }), /"dataschema" is no absolute URI: "\/x"/],
    ['a bad time', binary({ 'ce-time': '2024-01-01 00:00:00Z' }), /"time" is no RFC 3339 timestamp: "2024-01-01 00/],
    ['a broken content type', binary({ 'content-type': 'a/b; c' }), /"datacontenttype" is no media type: "a\/b; c"/],
    ['an attribute with _', binary({ 'ce-my_ext': 'x' }), /header "ce-my_ext": attribute name "my_ext"/],
    ['an attribute without a name', binary({ 'ce-': 'x' }), /header "ce-": the attribute name is missing/],
    ['an attribute named data', binary({ 'ce-data': 'x' }), /header "ce-data"/],
    ['text that is not UTF-8', binary({ 'ce-subject': '%C0%A0' }), /header "ce-subject": the value is not UTF-8/],
    ['an object as extension', structured({ ext: {} }), /attribute "ext" is an object/],
    ['a large integer', structured({ ext: 2 ** 31 }), /attribute "ext" is the number 2147483648/],
    ['a numeric id', structured({ id: 1 }), /attribute "id" is not a string/],
    ['bad base64', structured({ data_base64: '***' }), /"data_base64".*no base64/],
    ['data twice', structured({ data: 1, data_base64: 'AA==' }), /both "data" and "data_base64"/],
    ['half JSON', { path, headers: json, body: '{"id":' }, /ends too early, after 6 bytes/],
    [
      'something behind the JSON',
      { path, headers: json, body: `${JSON.stringify(members)} x` },
      /unexpected "x" at byte/,
    ],
    [
      'another charset than UTF-8',
      {
        path,
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-16' },
        body: Buffer.from(`\ufeff${JSON.stringify(members)}`, 'utf16le'),
      },
      /not UTF-8/,
    ],
    [
      'a format nobody knows',
      { path, headers: { 'content-type': 'application/cloudevents+xml' } },
      /cloudevents\+xml" is not supported/,
    ],
    ['a batch that is no list', batch('{}'), /list|array/],
    ['a batch with a bad event', batch(JSON.stringify([members, { ...members, id: '' }])), /1\b.*"id" is empty/],
  ]
  for (const [what, sent, told] of rows) {
    it(what, async () => {
      await using gateway = await aGateway()
      const answer = await send(gateway, sent)
      assert.equal(answer.status, 400, answer.body)
      assert.match(answer.body, told)
      assert.equal(gateway.accepted.length, 0)
    })
  }
})

describe('a request that is no proper HTTP', () => {
  const head = (...lines: string[]): string =>
    ['POST /default/shop HTTP/1.1', 'Host: localhost', ...lines, '', ''].join('\r\n')
  const attributes = Object.entries(event).map(([name, value]) => `${name}: ${value}`)

  const rows: [what: string, bytes: string][] = [
    ['two lengths', `${head('Content-Length: 1', 'Content-Length: 2', ...attributes)}xx`],
    ['a length and chunks', `${head('Content-Length: 1', 'Transfer-Encoding: chunked', ...attributes)}0\r\n\r\n`],
    ['a length that is no number', `${head('Content-Length: one', ...attributes)}x`],
    ['a negative length', `${head('Content-Length: -1', ...attributes)}x`],
    ['a broken chunk', `${head('Transfer-Encoding: chunked', ...attributes)}zz\r\nx\r\n0\r\n\r\n`],
    ['a forbidden character in a header', head('ce-subject: a\x00b', ...attributes)],
    ['a header without a colon', head('nonsense', ...attributes)],
    ['a space in a header’s name', head('ce id: 1', ...attributes)],
  ]
  for (const [what, bytes] of rows) {
    it(`with ${what} is answered 400, and stores nothing`, async () => {
      await using gateway = await aGateway()
      assert.match(await sendRaw(gateway, bytes), /^HTTP\/1\.1 400 /)
      assert.equal(gateway.accepted.length, 0)
      assert.equal((await send(gateway, { path, headers: event })).status, 202)
    })
  }

  it('with a body longer than announced ends in 400, and never stores what is not an event’s', async () => {
    await using gateway = await aGateway()
    const answer = await sendRaw(gateway, `${head('Content-Length: 2', ...attributes)}hi there\r\n\r\n`)
    assert.match(answer, /HTTP\/1\.1 400 /)
    for (const { event } of gateway.accepted) assert.equal(Buffer.from(event.data ?? '').toString(), 'hi')
    assert.equal((await send(gateway, { path, headers: event })).status, 202)
  })

  it('whose headers stand there twice counts by the first', async () => {
    await using gateway = await aGateway()
    const answer = await sendRaw(gateway, head('ce-id: first', ...attributes, 'Connection: close', 'Content-Length: 0'))
    assert.match(answer, /^HTTP\/1\.1 202 /)
    assert.equal(gateway.accepted[0]!.event.attributes.get('id'), 'first')
  })
})
