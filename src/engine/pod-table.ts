// The Pods that run here, in memory: whoever runs one registers it, whoever sends requests selects it by its labels.
import type { CancelTimer, Clock } from '../base/clock.ts'
import type { PodEndpoint, PodPresence, PodTable, PodUsage, RegisteredPod } from './serving.ts'

type Labels = Readonly<Record<string, string>>

interface Watcher {
  selector: Labels
  listener: () => void
  isLive: boolean
}

export function createPodTable({ clock }: { clock: Clock }): PodTable {
  return new Table(clock)
}

class Table implements PodTable {
  readonly clock: Clock
  /** By namespace, then uid. */
  #pods = new Map<string, Map<string, Entry>>()
  /** By namespace and the first pair of the selector: a Pod that changes finds those who look at it without asking all. */
  #watchers = new Map<string, Set<Watcher>>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  register(pod: PodPresence): RegisteredPod {
    const ofNamespace = this.#pods.get(pod.namespace) ?? new Map<string, Entry>()
    this.#pods.set(pod.namespace, ofNamespace)
    const entry = new Entry(pod, this)
    ofNamespace.set(pod.uid, entry)
    this.tell(entry, entry.labels)
    return entry
  }

  select(namespace: string, selector: Labels): readonly PodEndpoint[] {
    const wanted = Object.entries(selector)
    if (wanted.length === 0) return []
    const found: Entry[] = []
    for (const entry of this.#pods.get(namespace)?.values() ?? []) {
      if (wanted.every(([name, value]) => entry.labels[name] === value)) found.push(entry)
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  watch(namespace: string, selector: Labels, listener: () => void): Disposable {
    const [first] = Object.entries(selector)
    if (first === undefined) return { [Symbol.dispose]: () => undefined }
    const key = watchKey(namespace, ...first)
    const watchers = this.#watchers.get(key) ?? new Set<Watcher>()
    this.#watchers.set(key, watchers)
    const watcher: Watcher = { selector, listener, isLive: true }
    watchers.add(watcher)
    return {
      [Symbol.dispose]: () => {
        watcher.isLive = false
        watchers.delete(watcher)
        if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key)
      },
    }
  }

  /** Calls those who select the Pod by these labels. */
  tell({ namespace }: Entry, labels: Labels, alsoBefore?: Labels): void {
    const called = new Set<Watcher>()
    for (const seen of alsoBefore === undefined ? [labels] : [labels, alsoBefore]) {
      for (const [name, value] of Object.entries(seen)) {
        for (const watcher of this.#watchers.get(watchKey(namespace, name, value)) ?? []) {
          if (Object.entries(watcher.selector).every(([key, wanted]) => seen[key] === wanted)) called.add(watcher)
        }
      }
    }
    // One of them may have made another stop listening.
    for (const watcher of called) if (watcher.isLive) watcher.listener()
  }

  forget(entry: Entry): void {
    const ofNamespace = this.#pods.get(entry.namespace)
    if (ofNamespace?.get(entry.uid) !== entry) return
    ofNamespace.delete(entry.uid)
    if (ofNamespace.size === 0) this.#pods.delete(entry.namespace)
    this.tell(entry, entry.labels)
  }
}

const watchKey = (namespace: string, name: string, value: string): string => `${namespace}\0${name}\0${value}`

/** A Pod's entry: one side for whoever runs it, one for whoever sends to it. */
class Entry implements PodEndpoint, RegisteredPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  #presence: PodPresence
  #table: Table
  #inFlight = 0
  #isLeaving = false
  #isGone = false
  /** Those who wait for the last request to end. */
  #onIdle = new Set<() => void>()
  #onRelease = new Set<() => void>()

  constructor(presence: PodPresence, table: Table) {
    this.#presence = { ...presence }
    this.#table = table
    this.namespace = presence.namespace
    this.name = presence.name
    this.uid = presence.uid
  }

  get labels(): Labels {
    return this.#presence.labels
  }

  get host(): string {
    return this.#presence.host
  }

  get isReady(): boolean {
    return this.#presence.isReady && !this.#isLeaving
  }

  get inFlight(): number {
    return this.#inFlight
  }

  portOf(containerPort: number): number | undefined {
    const { ports } = this.#presence
    return ports.get(containerPort) ?? this.#presence.otherPort?.(containerPort)
  }

  namedPort(name: string): number | undefined {
    return this.#presence.portNames.get(name)
  }

  acquire(): void {
    this.#inFlight++
  }

  usage(): Promise<PodUsage | undefined> {
    return this.#presence.usage?.() ?? Promise.resolve(undefined)
  }

  release(): void {
    this.#inFlight--
    if (this.#onRelease.size > 0) {
      const listeners = [...this.#onRelease]
      this.#onRelease.clear()
      for (const listener of listeners) listener()
    }
    if (this.#inFlight === 0 && this.#onIdle.size > 0) this.#endWaits()
  }

  onceReleased(listener: () => void): Disposable {
    this.#onRelease.add(listener)
    return { [Symbol.dispose]: () => void this.#onRelease.delete(listener) }
  }

  update(change: Partial<Pick<PodPresence, 'labels' | 'isReady' | 'host' | 'ports'>>): void {
    const before = this.#presence
    this.#presence = { ...before, ...change }
    if (this.#isGone || isSame(before, change)) return
    this.#table.tell(this, this.labels, before.labels)
  }

  async drain({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    if (!this.#isLeaving) {
      this.#isLeaving = true
      this.#table.tell(this, this.labels)
    }
    if (this.#inFlight === 0) return
    let cancel: CancelTimer = () => undefined
    await new Promise<void>((resolve) => {
      this.#onIdle.add(resolve)
      cancel = this.#table.clock.setTimer(timeoutMs, resolve)
    })
    cancel()
  }

  remove(): void {
    this.#isLeaving = true
    this.#isGone = true
    this.#table.forget(this)
    this.#endWaits()
  }

  #endWaits(): void {
    for (const resolve of this.#onIdle) resolve()
    this.#onIdle.clear()
  }
}

const isSame = (before: PodPresence, change: Partial<PodPresence>): boolean =>
  Object.entries(change).every(([name, value]) => before[name as keyof PodPresence] === value)
