import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { execCommand } from './exec.ts'

const timeoutMs = 60_000

test('a command that has ended is forgotten: the end of its instance signals nobody by its number', async (context) => {
  const ending = new AbortController()
  const options = { clock: systemClock, cwd: tmpdir(), env: process.env, timeoutMs, until: ending.signal }
  for (let round = 0; round < 3; round++) await execCommand(['true'], options)
  assert.deepEqual(getEventListeners(ending.signal, 'abort'), [])
  const signalled: unknown[] = []
  context.mock.method(process, 'kill', (target: unknown) => signalled.push(target) > 0)
  ending.abort()
  assert.deepEqual(signalled, [])
})

test('a command that still runs is killed at the end of its instance', async () => {
  const ending = new AbortController()
  const options = { clock: systemClock, cwd: tmpdir(), env: process.env, timeoutMs, until: ending.signal }
  const running = execCommand(['sleep', '1000'], options)
  ending.abort()
  assert.equal((await running).code, 137)
  const late = await execCommand(['sleep', '1000'], options)
  assert.equal(late.code, 137, 'one that comes too late, too')
})
