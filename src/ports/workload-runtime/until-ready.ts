// Waiting for an instance to become ready, in the words all drivers use.
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Workload, WorkloadExit } from './port.ts'

/**
 * Runs `wait` until it resolves, the instance ends, or the time is over; then its signal aborts.
 * @throws {KnodeError} WORKLOAD_FAILED, TIMED_OUT
 */
export async function untilReady(
  { spec, exited }: Pick<Workload, 'spec' | 'exited'>,
  clock: Clock,
  timeoutMs: number,
  wait: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const name = `${spec.namespace}/${spec.name}`
  const hint = `look at what it printed: knode logs ${spec.name} -n ${spec.namespace}`
  const over = new AbortController()
  const cancel = clock.setTimer(timeoutMs, () =>
    over.abort(new KnodeError('TIMED_OUT', `${name} accepted no connection within ${timeoutMs} ms`, { hint })),
  )
  void exited.then((exit) =>
    over.abort(
      new KnodeError('WORKLOAD_FAILED', `${name} ended with ${exitText(exit)} before it accepted a connection`, {
        hint,
      }),
    ),
  )
  try {
    const aborted = new Promise<never>((_, reject) =>
      over.signal.addEventListener('abort', () => reject(over.signal.reason as KnodeError), { once: true }),
    )
    aborted.catch(() => undefined)
    await Promise.race([wait(over.signal), aborted])
  } finally {
    cancel()
    over.abort()
  }
}

const exitText = ({ code, signal }: WorkloadExit): string =>
  code === undefined ? `signal ${signal ?? 'unknown'}` : `exit code ${code}`
