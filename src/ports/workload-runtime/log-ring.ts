// The newest lines an instance printed: bounded by lines and bytes, readable while it grows and after its end.
import type { Clock } from '../../base/clock.ts'
import type { LogLine, LogOptions } from './port.ts'

export interface LogRingLimits {
  /** Lines kept per instance. @default 5_000 */
  linesMax?: number
  /** Text kept per instance, in UTF-16 units. @default 1_048_576 */
  charactersMax?: number
  /** Longer lines are broken into several, in UTF-16 units. @default 16_384 */
  lineCharactersMax?: number
}

const forgotten: LogLine = { timeMs: 0, stream: 'stdout', text: '' }

/** Source of an instance's log lines. A reader that is slower than the ring turns misses the oldest lines. */
export class LogRing {
  #clock: Clock
  #limits: Required<LogRingLimits>
  #lines: LogLine[] = []
  /** Number of the line at `#lines[#head]`, counted from the first ever. */
  #first = 0
  #head = 0
  #characters = 0
  #ended = false
  #waiting = new Set<() => void>()

  constructor(clock: Clock, limits: LogRingLimits = {}) {
    const { linesMax = 5_000, charactersMax = 1_048_576, lineCharactersMax = 16_384 } = limits
    this.#clock = clock
    this.#limits = { linesMax, charactersMax, lineCharactersMax }
  }

  /** Adds a line, given without its end. */
  append(stream: LogLine['stream'], text: string): void {
    const { lineCharactersMax } = this.#limits
    for (let at = 0; at === 0 || at < text.length; at += lineCharactersMax) {
      this.#push({ timeMs: this.#clock.now(), stream, text: text.slice(at, at + lineCharactersMax) })
    }
    this.#wake()
  }

  /** No more lines will come: followers end. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** A writer that cuts a byte stream into lines; `end` adds an unfinished last one. */
  writer(stream: LogLine['stream']): { write: (chunk: Uint8Array) => void; end: () => void } {
    const decoder = new TextDecoder()
    const { lineCharactersMax } = this.#limits
    let rest = ''
    const take = (text: string): void => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) this.append(stream, line.endsWith('\r') ? line.slice(0, -1) : line)
      if (rest.length < lineCharactersMax) return
      this.append(stream, rest)
      rest = ''
    }
    return {
      write: (chunk) => take(decoder.decode(chunk, { stream: true })),
      end: () => {
        take(decoder.decode())
        if (rest !== '') this.append(stream, rest)
        rest = ''
      },
    }
  }

  async *read({ follow = false, tailLines, signal }: LogOptions = {}): AsyncGenerator<LogLine> {
    const stored = this.#lines.length - this.#head
    let next = this.#first + (tailLines === undefined ? 0 : Math.max(0, stored - tailLines))
    const nothingYet = (): boolean => this.#first + this.#lines.length - this.#head <= next
    for (;;) {
      if (signal?.aborted === true) return
      if (!nothingYet()) {
        next = Math.max(next, this.#first)
        yield this.#lines[this.#head + next - this.#first]!
        next++
      } else if (follow && !this.#ended) await this.#change(signal)
      else return
    }
  }

  #push(line: LogLine): void {
    this.#lines.push(line)
    this.#characters += line.text.length
    const { linesMax, charactersMax } = this.#limits
    while (this.#lines.length - this.#head > linesMax || this.#characters > charactersMax) {
      this.#characters -= this.#lines[this.#head]!.text.length
      // The list is shortened seldom: until then it must not hold on to the text.
      this.#lines[this.#head] = forgotten
      this.#head++
      this.#first++
    }
    if (this.#head <= linesMax) return
    this.#lines = this.#lines.slice(this.#head)
    this.#head = 0
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}
