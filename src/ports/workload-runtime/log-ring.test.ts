import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { releaseMemory } from '../../base/memory.ts'
import { LogRing } from './log-ring.ts'

async function texts(ring: LogRing, options = {}): Promise<string[]> {
  const found: string[] = []
  for await (const { text } of ring.read(options)) found.push(text)
  return found
}

test('lines carry their time and stream', async () => {
  const clock = new FakeClock()
  const ring = new LogRing(clock)
  ring.append('stdout', 'a')
  await clock.advance(5)
  ring.append('stderr', 'b')
  const lines = []
  for await (const line of ring.read()) lines.push([line.stream, line.text, line.timeMs - Date.UTC(2026, 0, 1)])
  assert.deepEqual(lines, [
    ['stdout', 'a', 0],
    ['stderr', 'b', 5],
  ])
})

test('the oldest lines go first when there are too many, or when they are too long together', async () => {
  const byLines = new LogRing(new FakeClock(), { linesMax: 3 })
  for (let at = 0; at < 100; at++) byLines.append('stdout', String(at))
  assert.deepEqual(await texts(byLines), ['97', '98', '99'])
  const byText = new LogRing(new FakeClock(), { charactersMax: 10 })
  for (const text of ['aaaaaa', 'bbbbbb', 'cc']) byText.append('stdout', text)
  assert.deepEqual(await texts(byText), ['bbbbbb', 'cc'])
})

test('bytes become lines: split characters are joined, an unfinished line is kept, a long one is broken', async () => {
  const ring = new LogRing(new FakeClock(), { lineCharactersMax: 6 })
  const { write, end } = ring.writer('stdout')
  const bytes = Buffer.from('渴了\r\n\nabcdefgh\nlast')
  for (const byte of bytes) write(Uint8Array.of(byte))
  end()
  assert.deepEqual(await texts(ring), ['渴了', '', 'abcdef', 'gh', 'last'])
})

test('a follower sees what is kept, then what comes, and ends with the ring', async () => {
  const ring = new LogRing(new FakeClock())
  ring.append('stdout', 'before')
  const following = texts(ring, { follow: true })
  await new Promise((resolve) => setImmediate(resolve))
  ring.append('stdout', 'after')
  ring.end()
  assert.deepEqual(await following, ['before', 'after'])
})

test('a follower that is too slow goes on with the oldest line there is', async () => {
  const ring = new LogRing(new FakeClock(), { linesMax: 2 })
  ring.append('stdout', '0')
  const reader = ring.read({ follow: true })
  assert.equal((await reader.next()).value?.text, '0')
  for (let at = 1; at < 10; at++) ring.append('stdout', String(at))
  assert.equal((await reader.next()).value?.text, '8')
  await reader.return(undefined)
})

test('what is no longer kept takes no memory', () => {
  const ring = new LogRing(new FakeClock())
  releaseMemory()
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < 4_900; at++) ring.append('stdout', Buffer.alloc(16_384, String(at)).toString('latin1'))
  releaseMemory()
  const heldMb = (process.memoryUsage().heapUsed - before) / 1e6
  assert.ok(heldMb < 10, `${heldMb.toFixed(1)} MB for 1 MiB of text`)
  ring.end()
})
