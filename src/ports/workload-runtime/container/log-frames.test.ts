import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameReader } from './log-frames.ts'

const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([head, Buffer.from(text)])
}

test('both outputs come apart, wherever the stream was cut', () => {
  const stream = Buffer.concat([frame(1, 'one\n'), frame(2, 'wrong\n'), frame(1, ''), frame(1, 'zwei ☁\n')])
  for (let size = 1; size <= stream.byteLength; size++) {
    const heard = { stdout: '', stderr: '' }
    const read = frameReader({
      stdout: (chunk) => (heard.stdout += Buffer.from(chunk).toString('latin1')),
      stderr: (chunk) => (heard.stderr += Buffer.from(chunk).toString('latin1')),
    })
    for (let at = 0; at < stream.byteLength; at += size) read(stream.subarray(at, at + size))
    assert.equal(Buffer.from(heard.stdout, 'latin1').toString(), 'one\nzwei ☁\n')
    assert.equal(heard.stderr, 'wrong\n')
  }
})

test('bytes that are no frames are refused', () => {
  const read = frameReader({ stdout: () => assert.fail(), stderr: () => assert.fail() })
  assert.throws(() => read(Buffer.from('HTTP/1.1 200 OK')), RangeError)
})
