// How adapters send: once, with the retries of Knative's event sources. Source: CloudEvents sdk-go, knative/eventing
// pkg/adapter/v2.
import { messageOf } from '../../base/errors.ts'
import type { Addresses, DeliveryEngine, SendOptions, SendOutcome } from '../reconciler.ts'
import type { DeliveryLimits } from './limits.ts'
import { isRetriableForSources, isSuccess } from './retry.ts'
import { failureOf } from './send.ts'
import type { Outgoing, Send } from './send.ts'
import { parseTarget } from './target.ts'
import type { Target } from './target.ts'

export interface SourceSenderDeps {
  send: Send
  addresses: Addresses
  limits: Pick<DeliveryLimits, 'tryMsMax' | 'targetsMax'>
  /** @throws when the signal aborts. */
  wait: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>
}

/** Any 2xx is success. 404, 413, 425, 429, 502, 503, 504 and no answer at all are retried; 408, 409 and 500 are not. */
export function createSourceSender({ send, addresses, limits, wait }: SourceSenderDeps): DeliveryEngine['send'] {
  const targets = new Map<string, Target>()
  const targetOf = (address: Parameters<DeliveryEngine['send']>[1]): Target => {
    const key = `${addresses.gatewayUrl} ${address.url} ${address.CACerts ?? ''}`
    let target = targets.get(key)
    if (target === undefined) {
      if (targets.size >= limits.targetsMax) targets.clear()
      targets.set(key, (target = parseTarget(address, addresses)))
    }
    return target
  }
  return async (event, address, options: SendOptions = {}): Promise<SendOutcome> => {
    const { retries = 5, backoffDelayMs = 50, namespace, signal } = options
    const target = targetOf(address)
    const outgoing: Outgoing = { message: { event, headers: {} }, target, timeoutMs: limits.tryMsMax }
    if (namespace !== undefined) outgoing.namespace = namespace
    if (signal !== undefined) outgoing.signal = signal
    for (let attempt = 1; ; attempt++) {
      const answer = await send(outgoing)
      if (answer.kind === 'answer' && isSuccess(answer.status)) return { kind: 'accepted', status: answer.status }
      const { retriable, reason, status } = failureOf(answer, target, isRetriableForSources)
      const failed: SendOutcome = { kind: 'failed', reason, ...(status !== undefined && { status }) }
      if (!retriable || attempt > retries || signal?.aborted === true) return failed
      try {
        await wait(backoffDelayMs * 2 ** (attempt - 1), signal)
      } catch (error) {
        return { ...failed, reason: `${reason}; ${messageOf(error)}` }
      }
    }
  }
}
