// Which instance takes the next request. Source: knative/serving pkg/activator/net/lb_policy.go.
import type { Random } from '../../base/random.ts'

export interface Candidate {
  /** Requests it is working on. */
  inFlight: number
}

/**
 * An instance with room for one more request, or `undefined`. `containerConcurrency` 0 means that there is always room:
 * then the less busy of two random ones is taken; up to 3, the first with room, so that few are kept busy; above, one
 * after the other, counted by `turn`.
 */
export function chooseInstance<Instance extends Candidate>(
  instances: readonly Instance[],
  containerConcurrency: number,
  { random, turn }: { random: Random; turn: number },
): Instance | undefined {
  if (instances.length === 0) return undefined
  if (containerConcurrency === 0) {
    if (instances.length === 1) return instances[0]
    const first = Math.floor(random.next() * instances.length)
    const second = (first + 1 + Math.floor(random.next() * (instances.length - 1))) % instances.length
    return instances[first]!.inFlight <= instances[second]!.inFlight ? instances[first] : instances[second]
  }
  const hasRoom = ({ inFlight }: Instance): boolean => inFlight < containerConcurrency
  if (containerConcurrency <= 3) return instances.find(hasRoom)
  for (let step = 0; step < instances.length; step++) {
    const instance = instances[(turn + step) % instances.length]!
    if (hasRoom(instance)) return instance
  }
  return undefined
}
