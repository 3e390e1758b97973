// Media types as CloudEvents needs them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { essenceOf, isJsonContent, isTextContent, parseMediaType } from './media-type.ts'

describe('parseMediaType', () => {
  it('takes a lone token, parameters with and without quotes, and a semicolon at the end', () => {
    assert.deepEqual(parseMediaType('foo'), { essence: 'foo', parameters: new Map() })
    assert.deepEqual(parseMediaType(' Text/Plain ; Charset=UTF-8;q="a;\\"b" ; '), {
      essence: 'text/plain',
      parameters: new Map([
        ['charset', 'UTF-8'],
        ['q', 'a;"b'],
      ]),
    })
  })

  for (const text of [
    '',
    'text/',
    '/plain',
    'text plain',
    'a/b/c',
    'a/b; c',
    'a/b; c=',
    'a/b;c=d;c=e',
    'a/b;c="d',
    'a/b,c/d',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseMediaType(text), undefined))
  }
})

describe('content', () => {
  const rows: [contentType: string | undefined, isJson: boolean, isText: boolean][] = [
    [undefined, true, false],
    ['application/json', true, false],
    ['Application/JSON; charset=utf-8', true, false],
    ['text/json', true, true],
    ['application/vnd.x+json', true, false],
    ['application/jsonp', false, false],
    ['text/plain', false, true],
    ['text/plain; charset=UTF-8', false, true],
    ['text/plain; charset=iso-8859-1', false, false],
    ['image/svg+xml', false, true],
    ['application/xml', false, true],
    ['application/octet-stream', false, false],
    ['foo', false, false],
  ]
  for (const [contentType, isJson, isText] of rows) {
    it(`of type ${contentType ?? 'unknown'} is ${isJson ? 'JSON' : isText ? 'text' : 'bytes'}`, () => {
      assert.equal(isJsonContent(contentType), isJson)
      assert.equal(isTextContent(contentType ?? ''), isText)
    })
  }

  it('is named without parameters and in lower case, however broken they are', () => {
    assert.equal(essenceOf(' Application/CloudEvents+JSON ;;x'), 'application/cloudevents+json')
    assert.equal(essenceOf(undefined), '')
  })
})
