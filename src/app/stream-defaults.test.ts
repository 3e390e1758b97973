// How much streams keep when nobody says otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './config.ts'
import { streamDefaults } from './stream-defaults.ts'

test('on disk, streams get the configured limits', () => {
  assert.deepEqual(streamDefaults(parseConfig()), {
    retentionMs: 86_400_000,
    retentionBytes: 1_073_741_824,
    streamBytesMax: 4_294_967_296,
  })
})

test('in memory, streams keep what is made for memory, or what was asked for', () => {
  assert.deepEqual(streamDefaults(parseConfig({ flags: { memory: true } })), { retentionMs: 86_400_000 })
  const asked = parseConfig({ flags: { memory: true, 'retention-bytes': '5000' } })
  assert.deepEqual(streamDefaults(asked), { retentionMs: 86_400_000, retentionBytes: 5_000 })
})
