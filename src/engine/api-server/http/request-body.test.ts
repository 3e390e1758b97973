import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeBody } from './request-body.ts'

const yaml = (text: string): unknown => decodeBody(Buffer.from(text), 'application/yaml')

test('a YAML body is read as kubectl reads files: booleans of 1.1, but dates and times stay text', () => {
  assert.deepEqual(yaml('{ on: y, date: 2026-01-01, time: 22:22 }'), { true: true, date: '2026-01-01', time: '22:22' })
})

test('a YAML body with more than one document, or one that does not parse, is refused with its line', () => {
  assert.throws(() => yaml('a: 1\n---\nb: 2\n'), /not valid YAML: one document is expected/)
  assert.throws(() => yaml('a: 1\nb: ['), /not valid YAML: line \d+: /)
})
