import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorTypeOf } from './no-answer.ts'

const rows: [code: string, type: string][] = [
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ETIMEDOUT', 'unreachable'],
  ['ENOTFOUND', 'unknown_host'],
  ['EAI_AGAIN', 'unknown_host'],
  ['ECONNRESET', 'closed'],
  ['UND_ERR_SOCKET', 'closed'],
  ['HPE_INVALID_CONSTANT', 'invalid_answer'],
  ['UND_ERR_HEADERS_OVERFLOW', 'invalid_answer'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['EMFILE', 'other'],
]
for (const [code, type] of rows) {
  test(`${code} counts as ${type}`, () => assert.equal(errorTypeOf(Object.assign(new Error('x'), { code })), type))
}

test('an error without a code counts as other', () => assert.equal(errorTypeOf(new Error('x')), 'other'))
