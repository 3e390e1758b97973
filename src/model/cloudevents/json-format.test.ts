// Structured events: data stay the bytes they were.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cloudEvent } from './event.ts'
import { parseEventJson, writeEventJson } from './json-format.ts'
import { isJson } from './json-scanner.ts'

const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString()
const dataOf = (rest: string): string | undefined =>
  text(parseEventJson(Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t"${rest}}`)).data)

describe('reading data', () => {
  const rows: [rest: string, data: string | undefined, why: string][] = [
    ['', undefined, 'no member, no data'],
    [',"data":null', 'null', 'null is a value'],
    [',"data":0', '0', 'zero is a value'],
    [',"data":false', 'false', 'false is a value'],
    [',"data":""', '""', 'an empty string is a value'],
    [',"data":"{\\"a\\":1}"', '"{\\"a\\":1}"', 'a JSON string is not parsed again'],
    [
      ',"data": {"b" : 12345678901234567890,"a":1.0,"a":2 } ',
      '{"b" : 12345678901234567890,"a":1.0,"a":2 }',
      'bytes are kept',
    ],
    [',"datacontenttype":"text/json","data":[1 ,2]', '[1 ,2]', 'subtype json is JSON'],
    [',"data":"a\\u00e9\\n","datacontenttype":"text/plain"', 'aé\n', 'text is written raw, in any order of members'],
    [',"data":"","datacontenttype":"text/plain"', '', 'empty text is data'],
    [',"data":null,"datacontenttype":"text/plain"', undefined, 'null is no text'],
    [',"data_base64":"AAH/"', '\u0000\u0001\ufffd', 'base64 is decoded'],
    [',"data_base64":""', '', 'empty base64 is empty data'],
    [',"data_base64":null', undefined, 'null base64 is unset'],
    [',"datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="', '{"a":1}', 'JSON may come in base64'],
    [',"data":1,"data":2', '2', 'the last of duplicate members counts'],
  ]
  for (const [rest, data, why] of rows) it(why, () => assert.equal(dataOf(rest), data))

  it('refuses a datum that no bytes of its type can hold', () => {
    assert.throws(() => dataOf(',"datacontenttype":"text/plain","data":5'), /"data" is a number, not a string/)
    assert.throws(() => dataOf(',"datacontenttype":"text/plain","data":"\\ud800"'), /"data" is no well-formed text/)
  })

  it('of 0.3 takes base64 as its encoding attribute says', () => {
    const old = '{"specversion":"0.3","id":"1","source":"/s","type":"t","datacontentencoding":"base64","data":"AAE="}'
    const event = parseEventJson(Buffer.from(old))
    assert.deepEqual(event.data, Buffer.from([0, 1]))
    assert.equal(event.attributes.has('datacontentencoding'), false)
  })
})

describe('writing data', () => {
  const octets = Buffer.from([0, 255])
  const rows: [contentType: string | undefined, data: Uint8Array | string | undefined, member: string, why: string][] =
    [
      [undefined, undefined, '', 'no data, no member'],
      [undefined, '{"a": 1}', ',"data":{"a": 1}', 'JSON without a type is embedded as it is'],
      [undefined, 'x', ',"data_base64":"eA=="', 'what is no JSON falls back to base64'],
      ['application/json', '"s"', ',"data":"s"', 'a JSON string stays one'],
      ['application/json', '{', ',"data_base64":"ew=="', 'broken JSON falls back to base64'],
      ['application/json', '', ',"data_base64":""', 'nothing is no JSON'],
      ['application/vnd.x+json', '[1]', ',"data":[1]', '+json is JSON'],
      ['text/plain', 'a"b', ',"data":"a\\"b"', 'text becomes a string'],
      ['text/json', 'x', ',"data_base64":"eA=="', 'text of a JSON type is no string, which would be read as JSON'],
      ['text/plain', octets, ',"data_base64":"AP8="', 'text that is not UTF-8 becomes base64'],
      ['application/octet-stream', 'abc', ',"data_base64":"YWJj"', 'bytes become base64 even if they look like text'],
    ]
  for (const [datacontenttype, data, member, why] of rows) {
    it(why, () => {
      const event = cloudEvent({ specversion: '1.0', id: '1', datacontenttype }, data)
      const type = datacontenttype === undefined ? '' : `,"datacontenttype":${JSON.stringify(datacontenttype)}`
      assert.equal(text(writeEventJson(event)), `{"specversion":"1.0","id":"1"${type}${member}}`)
    })
  }

  it('of 0.3 names the encoding', () => {
    const event = cloudEvent({ specversion: '0.3', datacontenttype: 'image/png' }, octets)
    assert.match(text(writeEventJson(event))!, /"datacontentencoding":"base64","data":"AP8="/)
  })

  it('of 0.3 leaves what came encoded in binary mode as it is', () => {
    const event = cloudEvent({ specversion: '0.3', datacontentencoding: 'base64' }, 'AP8=')
    assert.equal(text(writeEventJson(event)), '{"specversion":"0.3","datacontentencoding":"base64","data":"AP8="}')
  })

  const odd: [specversion: string, datacontentencoding: string | number, data: Uint8Array | string][] = [
    ['1.0', 'base64', octets],
    ['1.0', 'gzip', '{"a":1}'],
    ['0.3', 'gzip', octets],
    ['0.3', 'gzip', '[1]'],
    ['0.3', 'base64', 'no base64'],
    ['0.3', 'base64', '{"a":1}'],
    ['0.3', 5, octets],
  ]
  for (const [specversion, datacontentencoding, data] of odd) {
    it(`keeps data of ${specversion} beside an encoding of ${datacontentencoding}`, () => {
      const event = cloudEvent({ specversion, id: '1', source: '/s', type: 't', datacontentencoding }, data)
      assert.deepEqual(Buffer.from(parseEventJson(writeEventJson(event)).data ?? ''), Buffer.from(data as string))
    })
  }
})

describe('the JSON scanner', () => {
  // Separated by three blanks.
  const correct = String.raw`{}   []   [[],{}]   {"a":{"b":[1,2,{"c":null}]}}    [1 , 2 ]    "\ud83d\ude00\/\b"   -0   -1.5e+10   1E5   true`
  const broken = String.raw`{   [   [1   [1,   [1,]   [,1]   {"a"}   {"a":}   {"a":1,}   {a:1}   {'a':1}   {"a":1 "b":2}
    [1 2]   "   "\   "\x"   "\u12g4"   01   1.   .5   +1   1e   --1   -   nul   True   NaN   [1]]   {}{}   }`
  for (const given of [...correct.split('   '), ...broken.split('   '), '', ' ', '"\n"']) {
    it(`agrees with JSON.parse about ${JSON.stringify(given)}`, () => {
      let parses = true
      try {
        JSON.parse(given)
      } catch {
        parses = false
      }
      assert.equal(isJson(Buffer.from(given)), parses)
    })
  }

  it('does not take a byte order mark or bytes that are not UTF-8', () => {
    assert.equal(isJson(Buffer.from('\ufeff{}')), false)
    assert.equal(isJson(Buffer.from([0x22, 0xc0, 0xa0, 0x22])), false)
  })
})
