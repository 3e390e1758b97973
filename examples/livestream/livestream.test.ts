// The burst of this folder, shortened.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { inTime, programPatience } from '../../src/base/eventually.ts'
import { pictureOf } from './picture.ts'

test('a burst of viewers scales event-display from one to many and back, and no event is lost', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts')], {
    env: { ...process.env, LIVESTREAM: '1:1:1,1:60:8,1:1:1' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = once(child, 'close') as Promise<[number | null]>
  const [code] = await inTime(closed, () => `the burst to be over:\n${said}`, programPatience).finally(() =>
    child.kill(),
  )
  assert.equal(code, 0, said)
  const [, most, last, bad] = /instances: 1 → (\d+) → (\d+); answers: \d+ good, (\d+) bad/.exec(said) ?? []
  assert.equal(most, '8', said)
  assert.equal(last, '1', said)
  assert.equal(bad, '0', said)
  assert.match(said, /load █+ +60 │ instances ●●●●●●●● 8 │/)
  assert.match(said, /│ p50 \d+ ms +p95 \d+ ms$/m)
})

test('the picture shows load, instances and latency', () => {
  assert.equal(
    pictureOf({ load: 12, instances: 2, instancesMax: 4, latenciesMs: [300, 100, 200] }),
    'load ███             12 │ instances ●●○○ 2 │ p50 200 ms  p95 300 ms',
  )
})
