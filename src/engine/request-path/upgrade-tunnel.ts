// A connection that leaves HTTP, as WebSockets do: its bytes pass between client and program as they are.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { ForwardOptions } from '../reconciler.ts'
import type { PodEndpoint } from '../serving.ts'
import { requestHeaders } from './forwarded-headers.ts'
import type { HeaderRules } from './forwarded-headers.ts'
import { isDialFailure } from './pod-connections.ts'
import type { PodConnections } from './pod-connections.ts'
import type { RequestTrace } from './request-trace.ts'
import type { Ticket } from './ticket-queue.ts'

/** Longest wait for the connection to the program, in milliseconds. */
const connectMs = 10_000
/** What a client may send before the program has agreed to listen, in bytes; more is not read yet. */
const earlyBytesMax = 65_536
/** `HTTP/1.1 101 ` */
const statusBytes = 13
/** How long a client may take to read what its program said last, in milliseconds. */
const farewellMs = 30_000

export interface TunnelDeps {
  clock: Clock
  /** How long the connection may live, its wait for a Pod included, in milliseconds. Absent: for ever. */
  totalMs?: number
  headerRules: HeaderRules
  /** Nothing of it is left, its place is free. */
  onDone: (tunnel: UpgradeTunnel) => void
  /** No connection could be made: somebody else may have it. */
  onUnsent: (ticket: Ticket, why: string) => void
}

/** Connects a client with a program, beginning with the request itself. Ends with either side. */
export class UpgradeTunnel implements Ticket {
  pod: PodEndpoint | undefined
  dialFailures = 0
  before: Ticket | undefined
  after: Ticket | undefined
  isQueued = false
  readonly trace: RequestTrace | undefined
  readonly request: IncomingMessage
  readonly startedMs: number
  /** Of the answer; 502 while there is none. */
  status = 502
  /** Why it came to no connection. */
  failure: string | undefined
  /** What passes after the upgrade is no answer. */
  readonly answeredBytes = 0
  #client: Duplex
  #head: Buffer
  #deps: TunnelDeps
  #forward: ForwardOptions | undefined
  #program: Socket | undefined
  #cancelTotal: CancelTimer | undefined
  #cancelFarewell: CancelTimer | undefined
  #isDone = false

  constructor(
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
    deps: TunnelDeps,
    forward?: ForwardOptions,
    trace?: RequestTrace,
  ) {
    this.request = request
    this.startedMs = deps.clock.monotonicMs()
    this.#client = socket
    this.#head = head
    this.#deps = deps
    this.#forward = forward
    this.trace = trace
    if (deps.totalMs !== undefined) {
      this.#cancelTotal = deps.clock.setTimer(deps.totalMs, () => this.#timeOut())
    }
    socket.on('close', () => this.#end())
    socket.on('error', () => socket.destroy())
    // Reading on is what tells of a client that goes away.
    socket.on('data', this.#onEarlyData)
    socket.on('end', this.#onEarlyEnd)
  }

  send({ host, port }: PodConnections): void {
    this.trace?.sent(this.pod!, { host, port })
    const program = connect({ host, port, timeout: connectMs })
    this.#program = program
    program.on('error', (error) => this.#onError(program, error))
    program.on('timeout', () => program.destroy(new Error(`no connection within ${connectMs} ms`)))
    program.on('connect', () => this.#join(program))
    program.on('close', () => {
      if (this.#program === program) this.#sayFarewell()
    })
  }

  refuse(status: number, message: string): void {
    if (this.#isDone) return
    const text = `${message}\n`
    this.status = status
    this.failure = message
    const answer =
      `HTTP/1.1 ${status} ${statusTexts[status] ?? 'Error'}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
    // A client that keeps its side open must not keep the connection.
    this.#client.end(answer, () => this.#client.destroy())
    this.#end()
  }

  #onEarlyData = (data: Buffer): void => {
    this.#head = Buffer.concat([this.#head, data])
    if (this.#head.length > earlyBytesMax) this.#client.pause()
  }

  #onEarlyEnd = (): void => {
    this.#client.destroy()
  }

  #join(program: Socket): void {
    program.setTimeout(0)
    program.setNoDelay(true)
    program.write(this.#requestHead(), 'latin1')
    let start = ''
    const onStart = (answer: Buffer): void => {
      start += answer.subarray(0, statusBytes - start.length).toString('latin1')
      if (start.length < statusBytes) return
      program.off('data', onStart)
      this.status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(start)?.[1] ?? 502)
      this.#listen(program)
    }
    program.on('data', onStart)
    program.pipe(this.#client)
  }

  /** The program has said whether it takes what the client sends. */
  #listen(program: Socket): void {
    const client = this.#client
    const early = this.#head
    this.#head = nothing
    client.off('data', this.#onEarlyData)
    client.off('end', this.#onEarlyEnd)
    // A program that declines goes on speaking HTTP, but requests find their way through the gateway only.
    if (this.status !== 101) return void client.resume()
    if (early.length > 0) program.write(early)
    client.pipe(program)
  }

  /** The program has ended; what it said last may still be on its way. */
  #sayFarewell(): void {
    const client = this.#client
    if (this.#isDone) return
    this.#cancelFarewell = this.#deps.clock.setTimer(farewellMs, () => client.destroy())
    client.end(() => client.destroy())
  }

  #onError(program: Socket, error: Error): void {
    if (this.#isDone) return
    const why = `the program did not answer: ${messageOf(error)}`
    if (!program.connecting && program.bytesWritten > 0) return void this.#client.destroy()
    this.#program = undefined
    if (isDialFailure(error)) this.#deps.onUnsent(this, why)
    else this.refuse(502, why)
  }

  #timeOut(): void {
    if (this.#program === undefined) this.refuse(504, 'activator request timeout')
    else this.#client.destroy()
  }

  #end(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#cancelTotal?.()
    this.#cancelFarewell?.()
    if (this.status === 502) this.failure ??= 'the connection ended before the program answered'
    this.#head = nothing
    this.#program?.destroy()
    this.#deps.onDone(this)
  }

  #requestHead(): string {
    const { request } = this
    const trace = this.trace?.headers
    const headers = requestHeaders(request, this.#deps.headerRules, this.#forward, { upgrade: true, trace })
    let text = `${request.method} ${request.url} HTTP/1.1\r\n`
    for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
    return `${text}\r\n`
  }
}

const nothing = Buffer.alloc(0)

const statusTexts: Record<number, string> = {
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}
