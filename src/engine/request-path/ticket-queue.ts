// The line of requests that wait for a Pod: first come, first served; leaving it from the middle costs nothing.
import type { PodEndpoint } from '../serving.ts'
import type { PodConnections } from './pod-connections.ts'
import type { RequestTrace } from './request-trace.ts'

/** A request, as those see it who bring it to a Pod. */
export interface Ticket {
  /** Where it is being worked on. */
  pod: PodEndpoint | undefined
  /** How often no connection could be made for it. */
  dialFailures: number
  /** Its neighbours while it waits. */
  before: Ticket | undefined
  after: Ticket | undefined
  isQueued: boolean
  /** What is recorded of it, if anything is. */
  readonly trace: RequestTrace | undefined
  /** Goes to the Pod it was given. */
  send(connections: PodConnections): void
  /** Is answered without a Pod. */
  refuse(status: number, message: string): void
}

export class TicketQueue {
  #first: Ticket | undefined
  #last: Ticket | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Ticket | undefined {
    return this.#first
  }

  push(ticket: Ticket): void {
    this.#insert(ticket, this.#last, undefined)
  }

  /** Puts it before all others: it has waited already. */
  pushFirst(ticket: Ticket): void {
    this.#insert(ticket, undefined, this.#first)
  }

  /** Fine when it is not there. */
  remove(ticket: Ticket): void {
    if (!ticket.isQueued) return
    const { before, after } = ticket
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    ticket.before = undefined
    ticket.after = undefined
    ticket.isQueued = false
    this.#size--
  }

  #insert(ticket: Ticket, before: Ticket | undefined, after: Ticket | undefined): void {
    ticket.before = before
    ticket.after = after
    ticket.isQueued = true
    if (before === undefined) this.#first = ticket
    else before.after = ticket
    if (after === undefined) this.#last = ticket
    else after.before = ticket
    this.#size++
  }
}
