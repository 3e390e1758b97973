// Brings requests to Pods: lets them wait while none has room, keeps each Pod within its limit, and remembers which
// Pods cannot be reached just now. Source: knative/serving pkg/activator/net/throttler.go.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { AppProtocol, PodEndpoint, PodTable } from '../serving.ts'
import { chooseInstance } from './choose-instance.ts'
import { H2cConnections } from './h2c-connections.ts'
import { Http1Connections } from './http1-connections.ts'
import type { PodConnections } from './pod-connections.ts'
import { TicketQueue } from './ticket-queue.ts'
import type { Ticket } from './ticket-queue.ts'

export interface PodRoomOptions {
  pods: PodTable
  namespace: string
  selector: Readonly<Record<string, string>>
  /** Where a Pod takes these requests; `undefined` when it does not. */
  portOf: (pod: PodEndpoint) => number | undefined
  protocol: AppProtocol
  /** Requests one Pod works on at a time; 0 is no limit. */
  containerConcurrency: number
  /** What requests are answered while no Pod is ready. @default they wait */
  emptyMessage?: string
  clock: Clock
  random: Random
}

/** Requests that wait for a Pod, at most; more are answered 503. Upstream's nominal queue depth. */
const waitingMax = 10_000
/** Connections that are tried for one request: only dials are ever repeated, never requests. */
const dialsMax = 15
/** How long a Pod that refused a connection is left alone; longer with each refusal, in milliseconds. */
const refusedMsMin = 20
const refusedMsMax = 1_000

/** A Pod that requests can be sent to. */
interface Place {
  pod: PodEndpoint
  port: number
  connections: PodConnections
}

/** A Pod that refuses connections. */
interface Refusal {
  count: number
  /** Set while it is left alone. */
  cancel: CancelTimer | undefined
}

export class PodRoom {
  #options: PodRoomOptions
  #places = new Map<PodEndpoint, Place>()
  /** Those that are ready and not left alone, by name. */
  #open: readonly PodEndpoint[] = []
  #readyCount = 0
  #refusals = new Map<PodEndpoint, Refusal>()
  #waiting = new TicketQueue()
  /** Tickets that are at a Pod. */
  #running = 0
  #turn = 0
  #isAdmitting = false
  #trouble: string | undefined
  #watch: Disposable
  /** Set while all places are taken by others than us. */
  #othersWatches: Disposable[] = []

  constructor(options: PodRoomOptions) {
    this.#options = options
    const { pods, namespace, selector } = options
    this.#watch = pods.watch(namespace, selector, () => this.#onPods())
    this.#onPods()
  }

  /** Pods that pass their probes. */
  get readyCount(): number {
    return this.#readyCount
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** Sends the ticket to a Pod, lets it wait for one, or refuses it. */
  enter(ticket: Ticket): void {
    if (this.#waiting.size === 0) {
      const pod = this.#choose()
      if (pod !== undefined) return this.#admit(ticket, pod)
    }
    const reason = this.#whyNotWait()
    if (reason !== undefined) return ticket.refuse(503, reason)
    if (this.#waiting.size >= waitingMax) return ticket.refuse(503, 'pending request queue full')
    this.#waiting.push(ticket)
    if (this.#waiting.size === 1) this.#watchOthers()
  }

  /** The ticket is done, or nobody wants its answer any more. Fine when it is not here. */
  leave(ticket: Ticket): void {
    this.#waiting.remove(ticket)
    const { pod } = ticket
    if (pod === undefined) return
    if (this.#refusals.size > 0 && this.#refusals.get(pod)?.cancel === undefined) this.#refusals.delete(pod)
    this.#release(ticket, pod)
    if (this.#waiting.size > 0) this.#admitWaiting()
  }

  /** No connection could be made, so that nothing was sent: the ticket is the next one to go, to whichever Pod. */
  reenter(ticket: Ticket, why: string): void {
    const { pod } = ticket
    if (pod !== undefined) {
      this.#release(ticket, pod)
      this.#leaveAlone(pod)
    }
    if (++ticket.dialFailures >= dialsMax) return ticket.refuse(502, why)
    const reason = this.#whyNotWait()
    if (reason !== undefined) return ticket.refuse(503, reason)
    this.#waiting.pushFirst(ticket)
    this.#admitWaiting()
  }

  /** See RevisionDoor.setTrouble. */
  setTrouble(message: string | undefined): void {
    this.#trouble = message
    this.#refuseInVain()
  }

  refuseWaiting(message: string): void {
    for (let ticket = this.#waiting.first; ticket !== undefined; ticket = this.#waiting.first) {
      this.#waiting.remove(ticket)
      ticket.refuse(503, message)
    }
  }

  /** Forgets all Pods. Requests under way keep their connections until they end. */
  close(message: string): void {
    this.#watch[Symbol.dispose]()
    this.#forgetOthers()
    for (const { cancel } of this.#refusals.values()) cancel?.()
    this.#refusals.clear()
    this.#open = []
    this.#readyCount = 0
    this.#trouble = message
    this.refuseWaiting(message)
    for (const { connections } of this.#places.values()) connections.close()
    this.#places.clear()
  }

  /** What those are told who would wait in vain. */
  #whyNotWait(): string | undefined {
    return this.#readyCount > 0 ? undefined : (this.#trouble ?? this.#options.emptyMessage)
  }

  #refuseInVain(): void {
    const reason = this.#whyNotWait()
    if (reason !== undefined) this.refuseWaiting(reason)
  }

  #choose(): PodEndpoint | undefined {
    const { containerConcurrency, random } = this.#options
    const pod = chooseInstance(this.#open, containerConcurrency, { random, turn: this.#turn })
    if (pod !== undefined) this.#turn++
    return pod
  }

  #admit(ticket: Ticket, pod: PodEndpoint): void {
    pod.acquire()
    ticket.pod = pod
    this.#running++
    ticket.send(this.#places.get(pod)!.connections)
  }

  #release(ticket: Ticket, pod: PodEndpoint): void {
    ticket.pod = undefined
    this.#running--
    pod.release()
  }

  #admitWaiting(): void {
    // A ticket that is done at once comes back here: the loop that sent it goes on by itself.
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    try {
      this.#admitAll()
    } finally {
      this.#isAdmitting = false
    }
  }

  #admitAll(): void {
    for (let ticket = this.#waiting.first; ticket !== undefined; ticket = this.#waiting.first) {
      const pod = this.#choose()
      if (pod === undefined) return this.#watchOthers()
      this.#waiting.remove(ticket)
      this.#admit(ticket, pod)
    }
  }

  /** When all places are taken and none by us, we are not the ones to hear of a free one. */
  #watchOthers(): void {
    this.#forgetOthers()
    if (this.#running > 0) return
    const onRelease = (): void => {
      this.#forgetOthers()
      this.#admitWaiting()
    }
    this.#othersWatches = this.#open.map((pod) => pod.onceReleased(onRelease))
  }

  #forgetOthers(): void {
    for (const watch of this.#othersWatches) watch[Symbol.dispose]()
    this.#othersWatches = []
  }

  #onPods(): void {
    const { pods, namespace, selector } = this.#options
    const present = pods.select(namespace, selector)
    const gone = new Set(this.#places.keys())
    let readyCount = 0
    const open: PodEndpoint[] = []
    for (const pod of present) {
      const port = this.#options.portOf(pod)
      if (port === undefined) continue
      gone.delete(pod)
      this.#place(pod, port)
      if (!pod.isReady) continue
      readyCount++
      if (this.#refusals.get(pod)?.cancel === undefined) open.push(pod)
    }
    this.#open = open
    this.#readyCount = readyCount
    // Whatever was with those that are gone may end right here.
    for (const pod of gone) this.#drop(pod)
    if (this.#waiting.size > 0) this.#admitWaiting()
    this.#refuseInVain()
  }

  #place(pod: PodEndpoint, port: number): void {
    const known = this.#places.get(pod)
    if (known?.port === port && known.connections.host === pod.host) return
    known?.connections.close()
    const address = { host: pod.host, port }
    const connections = this.#options.protocol === 'h2c' ? new H2cConnections(address) : new Http1Connections(address)
    this.#places.set(pod, { pod, port, connections })
  }

  #drop(pod: PodEndpoint): void {
    const connections = this.#places.get(pod)?.connections
    // One that only lost its labels finishes what it has.
    if (pod.isReady) connections?.close()
    else connections?.destroy()
    this.#places.delete(pod)
    this.#refusals.get(pod)?.cancel?.()
    this.#refusals.delete(pod)
  }

  /** Others are asked meanwhile; when there are none, its requests wait. */
  #leaveAlone(pod: PodEndpoint): void {
    if (!this.#places.has(pod)) return
    const refusal = this.#refusals.get(pod) ?? { count: 0, cancel: undefined }
    this.#refusals.set(pod, refusal)
    if (refusal.cancel !== undefined) return
    const leftMs = Math.min(refusedMsMin * 2 ** refusal.count++, refusedMsMax)
    refusal.cancel = this.#options.clock.setTimer(leftMs, () => {
      refusal.cancel = undefined
      this.#onPods()
    })
    this.#open = this.#open.filter((other) => other !== pod)
  }
}
