// What passes as URI and URI-reference.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAbsoluteUri, isUriReference } from './uri.ts'

const absolute = [
  'http://example.com/a?b=%zz#c',
  'urn:uuid:1',
  'mailto:a@b',
  'https://u:p@h:80/',
  'http://[::1]:80/x',
  'a:',
  'x://ü.example/p q',
]
const relative = ['/shop/orders', 'shop', '//host/path', '', '#f', 'a/b:c', '///x', '/a%20b', '?q=%']
const broken = [
  '%zz',
  '/a%2',
  'http://a b/',
  'http://h:port/',
  ':x',
  '1:2',
  'a b:c',
  '/a\nb',
  'http://[::1',
  '#%zz',
  'http://h%zz/',
  '//a"b c',
]

describe('URI-references', () => {
  for (const text of [...absolute, ...relative]) {
    it(`include ${JSON.stringify(text)}`, () => assert.equal(isUriReference(text), true))
  }
  for (const text of broken) {
    it(`do not include ${JSON.stringify(text)}`, () => assert.equal(isUriReference(text), false))
  }
})

describe('absolute URIs', () => {
  for (const text of absolute) it(`include ${text}`, () => assert.equal(isAbsoluteUri(text), true))
  for (const text of relative)
    it(`do not include ${JSON.stringify(text)}`, () => assert.equal(isAbsoluteUri(text), false))
})
