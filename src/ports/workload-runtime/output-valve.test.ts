import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { limitOutput, outputWindowBytesMax } from './output-valve.ts'

test('a source that prints too fast is read on in the next window, and loses nothing', async () => {
  const clock = new FakeClock()
  const source = new PassThrough({ highWaterMark: 4 * outputWindowBytesMax })
  let bytes = 0
  limitOutput(source, clock, (chunk) => (bytes += chunk.byteLength))
  const chunk = Buffer.alloc(outputWindowBytesMax / 4)
  for (let n = 0; n < 10; n++) source.write(chunk)
  await settle()
  assert.equal(bytes, outputWindowBytesMax)
  await clock.advance(99)
  await settle()
  assert.equal(bytes, outputWindowBytesMax)
  await clock.advance(1)
  await settle()
  assert.equal(bytes, 2 * outputWindowBytesMax)
  await clock.advance(100)
  await settle()
  assert.equal(bytes, 10 * chunk.byteLength)
})
