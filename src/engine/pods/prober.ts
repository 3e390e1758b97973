// When to look whether a container is well, and what follows from it. Source: kubernetes/kubernetes pkg/kubelet/prober;
// the quick looks before the first success are those of knative/serving pkg/queue/readiness.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'
import type { HttpVersion } from './http-probe.ts'
import type { ProbeAttempt, ProbeResult, ProbeTarget } from './probe-attempt.ts'

export interface ProberOptions {
  workload: Workload
  container: Container
  attempt: ProbeAttempt
  clock: Clock
  /** Whether httpGet probes find out if the program speaks HTTP/2; asked at each look. @default never */
  detectsHttp2?: () => boolean
  /** The container passed or failed its readiness probe often enough. */
  onReady: (isReady: boolean) => void
  /** It has passed its startup probe. */
  onStarted: () => void
  /** It has to be started again, and why. */
  onUnwell: (probe: Probe, message: string) => void
  /** A probe failed, in words that people read in Events. */
  onFailure: (message: string) => void
}

/** Probes that give no period of their own have the platform's once the container is ready, in milliseconds. */
const defaultPeriodMs = 10_000
/** Limits of one quick look, and of the wait between two, in milliseconds. */
const quickTimeoutMs = 100
const quickWaitMs = { min: 1, max: 50, ofElapsed: 0.05 } as const
/** Commands cost a process each. */
const quickExecWaitMsMin = 100
/** A port that nothing probes counts as served after this time at the latest, as nothing says that it must be. */
const unprobedMsMax = 10_000

/** Runs the probes of one running container, until it is disposed. */
export class Prober implements Disposable {
  #options: ProberOptions
  #timers = new Set<CancelTimer>()
  /** Whatever answers behind a port goes on to speak what it spoke. */
  #spoken = new Map<string, HttpVersion>()
  #isDisposed = false

  constructor(options: ProberOptions) {
    this.#options = options
  }

  start(): void {
    const { startupProbe } = this.#options.container
    if (startupProbe === undefined) return this.#onStarted()
    this.#becoming(startupProbe, {
      onPass: () => this.#onStarted(),
      onFail: (message) => this.#options.onUnwell(startupProbe, `Startup probe failed: ${message}`),
      label: 'Startup',
    })
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }

  #onStarted(): void {
    const { container, onStarted } = this.#options
    onStarted()
    if (this.#isDisposed) return
    if (container.livenessProbe !== undefined) this.#watchLiveness(container.livenessProbe)
    if (container.readinessProbe !== undefined) this.#watchReadiness(container.readinessProbe)
    else this.#awaitPort()
  }

  /** Without a probe a container is ready as soon as it runs; where it declares a port, as soon as that is open. */
  #awaitPort(): void {
    const { container, onReady, clock } = this.#options
    const port = container.ports?.find(({ protocol = 'TCP' }) => protocol === 'TCP')
    if (port?.containerPort === undefined) return onReady(true)
    const untilMs = clock.monotonicMs() + unprobedMsMax
    this.#becoming(
      { tcpSocket: { port: port.containerPort } },
      { onPass: () => onReady(true), onFail: () => undefined, giveUpMs: untilMs },
    )
  }

  #watchReadiness(probe: Probe): void {
    const { onReady } = this.#options
    this.#becoming(probe, {
      label: 'Readiness',
      onFail: () => undefined,
      onPass: () => {
        onReady(true)
        this.#keeping(probe, 'Readiness', onReady)
      },
    })
  }

  #watchLiveness(probe: Probe): void {
    this.#keeping(probe, 'Liveness', (isWell, message) => {
      if (!isWell) this.#options.onUnwell(probe, `Liveness probe failed: ${message}`)
    })
  }

  /**
   * Looks until the probe has passed `successThreshold` times in a row: often at first, each wait a twentieth of the time
   * passed, so that nobody waits much longer than the program needs. Failures count once a period.
   */
  #becoming(
    probe: Probe,
    on: { onPass: () => void; onFail: (message: string) => void; label?: string; giveUpMs?: number },
  ): void {
    const { clock, onFailure } = this.#options
    const periodMs = periodOf(probe)
    const { successThreshold = 1, failureThreshold = 3, initialDelaySeconds = 0 } = probe
    const isQuick = (probe.periodSeconds ?? 0) === 0
    const timeoutMs = isQuick ? quickTimeoutMs : timeoutOf(probe)
    let startMs = 0
    let countsAgainMs = 0
    let passes = 0
    let failures = 0
    const look = async (): Promise<void> => {
      const result = await this.#look(probe, timeoutMs)
      if (result === undefined) return
      if (result.isWell) {
        if (++passes >= successThreshold) return on.onPass()
      } else {
        passes = 0
        if (on.giveUpMs !== undefined && clock.monotonicMs() >= on.giveUpMs) return on.onPass()
        if (clock.monotonicMs() >= countsAgainMs) {
          // Periods in which nobody looked are no failures.
          countsAgainMs += periodMs * (Math.floor((clock.monotonicMs() - countsAgainMs) / periodMs) + 1)
          if (on.label !== undefined) onFailure(`${on.label} probe failed: ${result.message}`)
          if (++failures >= failureThreshold) on.onFail(result.message)
        }
      }
      const min = probe.exec === undefined ? quickWaitMs.min : quickExecWaitMsMin
      const max = Math.max(min, isQuick ? quickWaitMs.max : periodMs)
      const waitMs = Math.min(Math.max((clock.monotonicMs() - startMs) * quickWaitMs.ofElapsed, min), max)
      this.#after(waitMs, () => void look())
    }
    this.#after(initialDelaySeconds * 1_000, () => {
      startMs = clock.monotonicMs()
      countsAgainMs = startMs + periodMs
      void look()
    })
  }

  /** Looks once a period; tells each time when enough looks in a row say the other thing. */
  #keeping(probe: Probe, label: string, onChange: (isWell: boolean, message: string) => void): void {
    const { onFailure } = this.#options
    const { successThreshold = 1, failureThreshold = 3, initialDelaySeconds = 0 } = probe
    const isLiveness = label === 'Liveness'
    let isWell = true
    let inRow = 0
    const look = async (): Promise<void> => {
      const result = await this.#look(probe, timeoutOf(probe))
      if (result === undefined) return
      if (!result.isWell) onFailure(`${label} probe failed: ${result.message}`)
      inRow = result.isWell === isWell ? 0 : inRow + 1
      if (inRow >= (isWell ? failureThreshold : successThreshold)) {
        isWell = result.isWell
        inRow = 0
        onChange(isWell, result.isWell ? '' : result.message)
      }
      this.#after(periodOf(probe), () => void look())
    }
    this.#after((isLiveness ? initialDelaySeconds * 1_000 : 0) + periodOf(probe), () => void look())
  }

  async #look(probe: Probe, timeoutMs: number): Promise<ProbeResult | undefined> {
    const { attempt, workload, container, clock, detectsHttp2 } = this.#options
    const target: ProbeTarget = {
      workload,
      container,
      clock,
      detectsHttp2: detectsHttp2?.() ?? false,
      spoken: this.#spoken,
    }
    const result = await attempt(probe, target, timeoutMs)
    return this.#isDisposed ? undefined : result
  }

  #after(delayMs: number, run: () => void): void {
    if (this.#isDisposed) return
    // A look that need not wait must not wait for a timer either.
    if (delayMs <= 0) return run()
    const cancel = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(cancel)
      run()
    })
    this.#timers.add(cancel)
  }
}

const periodOf = ({ periodSeconds = 0 }: Probe): number =>
  periodSeconds === 0 ? defaultPeriodMs : periodSeconds * 1_000
const timeoutOf = ({ timeoutSeconds = 1 }: Probe): number => Math.max(1, timeoutSeconds) * 1_000
