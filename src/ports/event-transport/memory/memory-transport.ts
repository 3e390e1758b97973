// The transport that keeps nothing beyond the process: for tests and `--memory`.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { EventStream, EventTransport, StreamInfo, StreamOptions } from '../port.ts'
import { MemoryStream } from './memory-stream.ts'

export class MemoryTransport implements EventTransport {
  #clock: Clock
  #streams = new Map<string, MemoryStream>()
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async ensureStream(name: string, options: StreamOptions = {}): Promise<EventStream> {
    if (this.#isClosed) throw new KnodeError('TRANSPORT_CLOSED', 'the event transport is closed')
    const existing = this.#streams.get(name)
    existing?.setOptions(options)
    const stream = existing ?? new MemoryStream(name, this.#clock, options)
    this.#streams.set(name, stream)
    return stream
  }

  stream(name: string): EventStream | undefined {
    return this.#streams.get(name)
  }

  async deleteStream(name: string): Promise<void> {
    this.#streams.get(name)?.close()
    this.#streams.delete(name)
  }

  streams(): StreamInfo[] {
    return [...this.#streams.keys()].sort().map((name) => this.#streams.get(name)!.info())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const stream of this.#streams.values()) stream.close()
  }
}
