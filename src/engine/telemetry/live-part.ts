// One thing that runs as its settings say: the next one begins before the former one ends.
import { messageOf } from '../../base/errors.ts'

export interface LivePartOptions<Settings> {
  /** @throws {Error} when these settings cannot be: then the former thing stays */
  open: (settings: Settings) => Promise<AsyncDisposable>
  onObjection: (reason: string) => void
  isEqual: (one: Settings | undefined, other: Settings | undefined) => boolean
}

export class LivePart<Settings> implements AsyncDisposable {
  #options: LivePartOptions<Settings>
  #wanted: Settings | undefined
  #open: AsyncDisposable | undefined
  /** Changes happen one after the other. */
  #changing = Promise.resolve()
  /** Former ones that are still ending. */
  #ending = new Set<Promise<void>>()

  constructor(options: LivePartOptions<Settings>) {
    this.#options = options
  }

  /** `undefined`: nothing shall run. */
  set(settings: Settings | undefined): void {
    if (this.#options.isEqual(settings, this.#wanted)) return
    this.#wanted = settings
    this.#changing = this.#changing.then(() => this.#change(settings))
  }

  /** Resolves when what was asked for so far is open, or was objected to. */
  async settled(): Promise<void> {
    await this.#changing
  }

  /** Resolves when everything has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.set(undefined)
    await this.#changing
    await Promise.all(this.#ending)
  }

  async #change(settings: Settings | undefined): Promise<void> {
    // Another change has come meanwhile: this one is of no interest any more.
    if (settings !== this.#wanted) return
    const former = this.#open
    try {
      this.#open = settings === undefined ? undefined : await this.#options.open(settings)
    } catch (thrown) {
      return this.#options.onObjection(messageOf(thrown))
    }
    if (former === undefined) return
    const ending: Promise<void> = this.#end(former).finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }

  async #end(former: AsyncDisposable): Promise<void> {
    try {
      await former[Symbol.asyncDispose]()
    } catch (thrown) {
      this.#options.onObjection(messageOf(thrown))
    }
  }
}
