// Header values and the text they stand for.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeHeaderText, encodeHeaderText } from './header-text.ts'

const wire = (text: string): string => Buffer.from(text).toString('latin1')

describe('decodeHeaderText', () => {
  const rows: [value: string, text: string | undefined, why: string][] = [
    ['plain', 'plain', 'plain text'],
    ['a b', 'a b', 'a bare space'],
    ['a%20b', 'a b', 'an encoded space'],
    ['Euro%20%E2%82%AC%20%f0%9f%98%80', 'Euro € 😀', 'UTF-8, lower-case hex included'],
    ['%41', 'A', 'a needless encoding'],
    ['100%', '100%', 'a lone percent sign'],
    ['100%2', '100%2', 'half an encoding'],
    ['%zz%20', '%zz ', 'no hex digits'],
    ['%2520', '%20', 'one round of decoding, not two'],
    ['%%41', '%A', 'a percent sign before an encoding'],
    [wire('渴了'), '渴了', 'raw UTF-8 bytes, as Node reads them'],
    ['渴了 %41', '渴了 A', 'characters, when somebody decoded the bytes'],
    ['"a b"', 'a b', 'quotes'],
    ['"a\\"b\\\\c%20d"', 'a"b\\c d', 'escapes in quotes, then percent-decoding'],
    ['""', '', 'empty quotes'],
    ['"', '"', 'a lone quote'],
    ['a"b"', 'a"b"', 'quotes inside'],
    ['%C0%A0', undefined, 'overlong UTF-8'],
    ['%ED%A0%80', undefined, 'a surrogate'],
    ['%E2%82', undefined, 'a cut character'],
    ['\u00e9', undefined, 'a latin1 byte'],
  ]
  for (const [value, text, why] of rows) {
    it(`${text === undefined ? 'refuses' : 'reads'} ${why}: ${JSON.stringify(value)}`, () => {
      assert.equal(decodeHeaderText(value), text)
    })
  }
})

describe('encodeHeaderText', () => {
  const rows: [text: string, value: string][] = [
    ['plain!~', 'plain!~'],
    ['a b', 'a%20b'],
    ['100% "x"', '100%25%20%22x%22'],
    ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
    ['line\r\nHost: evil\u007f', 'line%0D%0AHost:%20evil%7F'],
    ['', ''],
  ]
  for (const [text, value] of rows) {
    it(`writes ${JSON.stringify(text)} as ${value}, and reads it back`, () => {
      assert.equal(encodeHeaderText(text), value)
      assert.equal(decodeHeaderText(value), text)
    })
  }
})
