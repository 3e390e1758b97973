// Buffers that batches of events are written from, shared by all streams: busy ones do not allocate, idle ones hold none.

/** Bytes of one write, unless a single event is larger. */
export const batchBytesMax = 262_144

/** Buffers kept for the next batches. */
const buffersKept = 4

export class BufferPool {
  #free: Buffer[] = []

  /** A buffer of `batchBytesMax`, or of `bytesMin` if that is more. */
  take(bytesMin: number): Buffer {
    if (bytesMin > batchBytesMax) return Buffer.allocUnsafeSlow(bytesMin)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(batchBytesMax)
  }

  give(buffer: Buffer): void {
    if (buffer.length === batchBytesMax && this.#free.length < buffersKept) this.#free.push(buffer)
  }
}
