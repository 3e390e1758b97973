// The data-plane parts of one object: started, restarted and stopped by name.
import type { Workers } from '../reconciler.ts'

interface Worker {
  /** The spec it was started with, as JSON. */
  spec: string
  running: AsyncDisposable
}

export class WorkerSet implements Workers {
  #workers = new Map<string, Worker>()
  /** The last step asked for of each name; steps of one name follow one another. */
  #steps = new Map<string, Promise<void>>()

  get size(): number {
    return this.#workers.size
  }

  ensure<Spec>(name: string, spec: Spec, start: (spec: Spec) => Promise<AsyncDisposable>): Promise<void> {
    const json = JSON.stringify(spec)
    return this.#next(name, async () => {
      if (this.#workers.get(name)?.spec === json) return
      await this.#dispose(name)
      this.#workers.set(name, { spec: json, running: await start(spec) })
    })
  }

  stop(name: string): Promise<void> {
    return this.#next(name, () => this.#dispose(name))
  }

  /** Stops all at once and waits for all. @throws AggregateError when some fail to stop. */
  async stopAll(): Promise<void> {
    const names = new Set([...this.#workers.keys(), ...this.#steps.keys()])
    const stopped = await Promise.allSettled([...names].map((name) => this.stop(name)))
    const failures = stopped.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${names.size} did not stop`)
  }

  /** A worker that fails to stop is forgotten all the same: asking it again would not help. */
  async #dispose(name: string): Promise<void> {
    const worker = this.#workers.get(name)
    this.#workers.delete(name)
    await worker?.running[Symbol.asyncDispose]()
  }

  #next(name: string, step: () => Promise<void>): Promise<void> {
    const result = (this.#steps.get(name) ?? Promise.resolve()).then(step)
    const done = result.catch(() => undefined)
    this.#steps.set(name, done)
    void done.then(() => {
      if (this.#steps.get(name) === done) this.#steps.delete(name)
    })
    return result
  }
}
