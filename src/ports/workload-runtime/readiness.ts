// A program is ready when something accepts connections on its port.
import { connect } from 'node:net'
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'

/** Waits between two tries: quick while a fast program starts, then as Knative's aggressive probe does. */
const eagerDelayMs = 10
const delayMs = 50
const eagerMs = 1_000
/** Longest wait for one connection. Source: knative/serving pkg/queue/readiness, 100 ms. */
const connectMs = 100

/** A program may listen on either loopback address. */
const loopbackHosts = ['127.0.0.1', '::1']

/** Resolves with the first of `hosts` that accepts connections on `port`. @throws the signal's reason when it aborts first. */
export async function listeningHost(
  port: number,
  clock: Clock,
  signal: AbortSignal,
  hosts: readonly string[] = loopbackHosts,
): Promise<string> {
  const startedMs = clock.monotonicMs()
  for (;;) {
    signal.throwIfAborted()
    for (const host of hosts) if (await accepts(host, port)) return host
    await sleep(clock, clock.monotonicMs() - startedMs < eagerMs ? eagerDelayMs : delayMs, signal)
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}
