// An endpoint over Pods, as core Services are: any ready one takes the request, none waits, and nothing is counted.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { ForwardOptions, HttpEndpoint } from '../reconciler.ts'
import type { AppProtocol, PodEndpoint, PodTable } from '../serving.ts'
import { PodRoom } from './pod-room.ts'
import { ProxyCall } from './proxy-call.ts'
import type { CallDeps } from './proxy-call.ts'
import type { Ticket } from './ticket-queue.ts'
import { UpgradeTunnel } from './upgrade-tunnel.ts'
import type { TunnelDeps } from './upgrade-tunnel.ts'

export interface PodProxyOptions {
  pods: PodTable
  namespace: string
  selector: Readonly<Record<string, string>>
  /** Where a Pod takes these requests: a port on its `host`; `undefined` when it does not take them. */
  portOf: (pod: PodEndpoint) => number | undefined
  /** @default 'http1' */
  protocol?: AppProtocol
  clock: Clock
  random: Random
}

/** Disposing forgets the Pods; requests under way end by themselves. */
export function createPodProxy(options: PodProxyOptions): HttpEndpoint & Disposable {
  return new PodProxy(options)
}

class PodProxy implements HttpEndpoint, Disposable {
  readonly kind = 'http'
  #room: PodRoom
  #deps: CallDeps & TunnelDeps

  constructor({ protocol = 'http1', ...options }: PodProxyOptions) {
    const { clock, random } = options
    const emptyMessage = 'no Pod of the Service is ready'
    this.#room = new PodRoom({ ...options, protocol, containerConcurrency: 0, emptyMessage })
    this.#deps = {
      clock,
      headerRules: { kind: 'service', random },
      onDone: (ticket: Ticket) => this.#room.leave(ticket),
      onUnsent: (ticket: Ticket, why: string) => this.#room.reenter(ticket, why),
    }
  }

  handle(request: IncomingMessage, response: ServerResponse, options?: ForwardOptions): void {
    this.#room.enter(new ProxyCall(request, response, this.#deps, options))
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options?: ForwardOptions): void {
    this.#room.enter(new UpgradeTunnel({ request, socket, head }, this.#deps, options))
  }

  [Symbol.dispose](): void {
    this.#room.close('shutting down')
  }
}
