// Takes apart the stream in which an engine sends both outputs of a container: frames of an 8-byte head and bytes.
// Source: Docker Engine API, "Attach to a container", stream format.

const headBytes = 8
/** Larger than any engine sends; a stream that is no such stream is noticed by it. */
const frameBytesMax = 67_108_864

export interface FrameSinks {
  stdout: (chunk: Uint8Array) => void
  stderr: (chunk: Uint8Array) => void
}

/** Returns what takes the stream's chunks, however it was cut. @throws {RangeError} when the bytes are no frames. */
export function frameReader({ stdout, stderr }: FrameSinks): (chunk: Uint8Array) => void {
  let head = Buffer.alloc(0)
  let left = 0
  let sink = stdout
  return (chunk) => {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    while (rest.byteLength > 0) {
      if (left > 0) {
        sink(rest.subarray(0, left))
        const taken = Math.min(left, rest.byteLength)
        left -= taken
        rest = rest.subarray(taken)
        continue
      }
      const wanted = headBytes - head.byteLength
      head = Buffer.concat([head, rest.subarray(0, wanted)])
      rest = rest.subarray(wanted)
      if (head.byteLength < headBytes) return
      left = head.readUInt32BE(4)
      if (left > frameBytesMax || head[0]! > 2) throw new RangeError('the container’s output is no stream of frames')
      sink = head[0] === 2 ? stderr : stdout
      head = Buffer.alloc(0)
    }
  }
}
