// A request's body as a stream of its own: the client's connection survives a program that does not read to the end.
import { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'

/** Reads nothing of the request until somebody reads from it: an attempt that never got that far leaves it whole. */
export class RequestBody extends Readable {
  #request: IncomingMessage
  #isBegun = false

  constructor(request: IncomingMessage) {
    super()
    this.#request = request
  }

  override _read(): void {
    if (this.#isBegun) return void this.#request.resume()
    this.#isBegun = true
    this.#request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#isBegun) {
      this.#request.off('data', this.#onData).off('end', this.#onEnd)
      // What is still to come is swallowed.
      this.#request.resume()
    }
    callback(error)
  }

  #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#request.pause()
  }

  #onEnd = (): void => {
    this.push(null)
  }

  #onError = (error: Error): void => {
    this.destroy(error)
  }
}
