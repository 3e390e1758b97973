// How many of a Revision's Pods are ready: counted when one changes, not when somebody asks.
import { isDeepStrictEqual } from 'node:util'
import type { PodEndpoint, PodTable } from '../serving.ts'

type Labels = Readonly<Record<string, string>>

export class ReadyCount implements Disposable {
  #pods: PodTable
  #namespace: string
  #onChange: () => void
  #selector: Labels = {}
  #watch: Disposable | undefined
  #count = 0

  /** @param onChange the number of ready Pods has changed */
  constructor(pods: PodTable, namespace: string, onChange: () => void) {
    this.#pods = pods
    this.#namespace = namespace
    this.#onChange = onChange
  }

  get count(): number {
    return this.#count
  }

  /** Those that are ready now. */
  list(): PodEndpoint[] {
    return this.#pods.select(this.#namespace, this.#selector).filter(({ isReady }) => isReady)
  }

  /** Counts the Pods with these labels from now on. */
  follow(selector: Labels): void {
    if (isDeepStrictEqual(selector, this.#selector)) return
    this.#watch?.[Symbol.dispose]()
    this.#selector = selector
    this.#count = this.list().length
    this.#watch = this.#pods.watch(this.#namespace, selector, () => {
      const before = this.#count
      this.#count = this.list().length
      if (this.#count !== before) this.#onChange()
    })
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]()
  }
}
