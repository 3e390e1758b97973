// Keeps one container of a Pod running as its restart policy asks: start, probes, end, back-off, start again.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { ContainerState, ContainerStatus } from '../../model/kubernetes/pod/pod.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { Workload, WorkloadRuntime, WorkloadSpec } from '../../ports/workload-runtime/port.ts'
import { containerId, terminatedState, unseenExitCode } from './container-state.ts'
import type { Terminated } from './container-state.ts'
import type { ProbeAttempt } from './probe-attempt.ts'
import { Prober } from './prober.ts'
import { configured, failureOf, StartFailure } from './start-failure.ts'

export interface ContainerRunnerOptions {
  container: Container
  /** `OnFailure` for init containers of a Pod that restarts at all. */
  restartPolicy: 'Always' | 'OnFailure' | 'Never'
  /** What to start; asked before each start. @throws {KnodeError} when something it needs is missing */
  prepare: (container: Container, restartCount: number) => Promise<WorkloadSpec>
  /** As it was when Knode ran before. */
  previous?: ContainerStatus
  /** What the container gets between SIGTERM and SIGKILL after its liveness probe has failed, in milliseconds. */
  stopGraceMs: number
  /** Called whenever anything that can be read here has changed. Must not throw. */
  onChange: () => void
  /** Events of the Pod. */
  event: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  attempt: ProbeAttempt
  /** Whether httpGet probes find out if the program speaks HTTP/2; asked at each look. @default never */
  detectsHttp2?: () => boolean
  runtime: WorkloadRuntime
  clock: Clock
  log: Logger
}

/** Waits before another try: doubled each time, in milliseconds. */
const backOffMs = { min: 1_000, max: 60_000 } as const
/** A container that ran this long has made up for its failures, in milliseconds. */
const steadyMs = 60_000
/** How long an unwell container may take to end at most, unless its probe says otherwise, in milliseconds. */
const unwellGraceMsMax = 30_000

export class ContainerRunner {
  readonly name: string
  #options: ContainerRunnerOptions
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  #lastState: ContainerState = {}
  #restartCount = 0
  #workload: Workload | undefined
  #imageId = ''
  #isReady = false
  #isStarted = false
  /** Starts in a row that came to nothing, and instances in a row that ended soon. */
  #failedStarts = 0
  #shortLives = 0
  /** What it is told has changed since the last try began. */
  #hasNews = false
  /** Its instance was ended to be replaced by a new one. */
  #isReplacing = false
  #stopping = new AbortController()
  #prober: Prober | undefined
  /** Aborts to end a wait that need not go on. */
  #waiting = new AbortController()
  #firstStart = Promise.withResolvers<Workload | undefined>()
  #hasStarted = Promise.withResolvers<boolean>()

  constructor(options: ContainerRunnerOptions) {
    this.#options = options
    this.name = options.container.name ?? ''
    if (options.previous !== undefined) this.#resume(options.previous)
  }

  get container(): Container {
    return this.#options.container
  }

  /** The instance that runs now. */
  get workload(): Workload | undefined {
    return this.#workload
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get isStarted(): boolean {
    return this.#isStarted
  }

  /** It has ended, and will not be started again. */
  get end(): Terminated | undefined {
    const { terminated } = this.#state
    return terminated !== undefined && !this.#restartsAfter(terminated.exitCode) ? terminated : undefined
  }

  get status(): ContainerStatus {
    const { container } = this.#options
    return {
      name: this.name,
      state: this.#state,
      lastState: this.#lastState,
      ready: this.#isReady,
      restartCount: this.#restartCount,
      image: container.image ?? '',
      imageID: this.#imageId,
      ...(this.#workload === undefined ? {} : { containerID: containerId(this.#workload) }),
      started: this.#isStarted,
    }
  }

  /** Resolves with the first instance, or `undefined` when there will be none. */
  get firstStart(): Promise<Workload | undefined> {
    return this.#firstStart.promise
  }

  /** Resolves with true once it has passed its startup probe, with false when it never will. */
  get hasStarted(): Promise<boolean> {
    return this.#hasStarted.promise
  }

  /** Runs until the container has ended for good, or is stopped. Never throws. */
  async run(): Promise<void> {
    while (!this.#isStopping && this.end === undefined) {
      const workload = await this.#start()
      if (workload === undefined) continue
      this.#firstStart.resolve(workload)
      await this.#attend(workload)
    }
    this.#firstStart.resolve(undefined)
    this.#hasStarted.resolve(false)
  }

  /** Does not wait any longer before the next try: what made the last one fail may have changed. */
  retry(): void {
    this.#hasNews = true
    this.#failedStarts = 0
    const { reason } = this.#state.waiting ?? {}
    if (reason === 'CreateContainerConfigError') this.#waiting.abort()
  }

  /** Replaces its instance by a new one, of another image if that has changed. */
  replace(container = this.container): void {
    this.#options = { ...this.#options, container }
    const { reason } = this.#state.waiting ?? {}
    if (this.#workload === undefined) {
      if (reason !== 'ContainerCreating') this.#waiting.abort()
      return
    }
    this.#isReplacing = true
    this.#isReady = false
    this.#prober?.[Symbol.dispose]()
    void this.#end(this.#workload, Math.min(this.#options.stopGraceMs, unwellGraceMsMax))
  }

  /** Is not started again from now on, nor probed: failures would mean nothing any more. What runs goes on. */
  retire(): void {
    this.#stopping.abort()
    this.#waiting.abort()
    this.#firstStart.resolve(undefined)
    this.#hasStarted.resolve(false)
    this.#prober?.[Symbol.dispose]()
  }

  /** Ends it for good; resolves when it is gone. May be called again with less time. */
  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.retire()
    if (this.#workload !== undefined) await this.#end(this.#workload, graceMs)
  }

  /** Never rejects: a runtime that cannot end it must not be the end of Knode. */
  async #end(workload: Workload, graceMs: number): Promise<void> {
    await workload.stop({ graceMs }).catch((err: unknown) => {
      this.#options.log.warn('container could not be ended', { container: this.name, err })
    })
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Goes on where another Knode has left: what ran then has ended, unseen. */
  #resume({ state, lastState, restartCount }: ContainerStatus): void {
    const hasRun = state.running !== undefined || state.terminated !== undefined || lastState.terminated !== undefined
    const last = state.terminated ?? (state.running === undefined ? lastState.terminated : this.#unseen(state.running))
    this.#restartCount = restartCount
    if (last !== undefined && state.waiting === undefined && !this.#restartsAfter(last.exitCode)) {
      this.#state = { terminated: last }
      return
    }
    this.#lastState = last === undefined ? {} : { terminated: last }
    if (hasRun) this.#restartCount++
  }

  #unseen({ startedAt }: NonNullable<ContainerState['running']>): Terminated {
    const finishedAt = kubernetesTime(this.#options.clock.now())
    return {
      exitCode: unseenExitCode,
      reason: 'Unknown',
      ...(startedAt === undefined ? {} : { startedAt }),
      finishedAt,
    }
  }

  /** `undefined` when it failed; then the wait before the next try is over. */
  async #start(): Promise<Workload | undefined> {
    const { container, runtime, prepare, event, log, onChange } = this.#options
    this.#hasNews = false
    try {
      const spec = await configured(() => prepare(container, this.#restartCount))
      if (this.#isStopping) return undefined
      const objection = runtime.objection(spec)
      if (objection !== undefined) throw new StartFailure('ErrImagePull', objection)
      const workload = await runtime.start(spec, {
        signal: this.#stopping.signal,
        onProgress: (progress) => {
          if (progress.kind === 'pulling') event('Normal', 'Pulling', `Pulling image "${progress.image}"`)
          if (progress.kind === 'pulled') event('Normal', 'Pulled', `Successfully pulled image "${progress.image}"`)
        },
      })
      // An image that was changed meanwhile is the one to run.
      if (this.#isStopping || this.container.image !== container.image) {
        await workload.stop({ graceMs: 0 })
        return undefined
      }
      log.info('container started', { container: this.name })
      event('Normal', 'Started', `Started container ${this.name}`)
      this.#failedStarts = 0
      return workload
    } catch (thrown) {
      if (this.#isStopping) return undefined
      const failure = failureOf(thrown)
      const isAgain = failure.reason === 'ErrImagePull' && this.#failedStarts > 0
      const reason = isAgain ? 'ImagePullBackOff' : failure.reason
      const { message } = failure
      log.warn('container could not be started', { container: this.name, reason, err: thrown })
      if (this.#state.waiting?.message !== message) event('Warning', 'Failed', `Error: ${message}`)
      this.#state = { waiting: { reason, message } }
      onChange()
      if (!this.#hasNews) await this.#wait(backOffMsAfter(this.#failedStarts++))
      return undefined
    }
  }

  /** Probes the instance until it has ended, and notes how. */
  async #attend(workload: Workload): Promise<void> {
    const { container, clock, event, onChange, log, detectsHttp2 } = this.#options
    const startedMs = clock.now()
    const beganMs = clock.monotonicMs()
    this.#workload = workload
    this.#imageId = workload.imageId ?? ''
    this.#state = { running: { startedAt: kubernetesTime(startedMs) } }
    let isUnwell = false
    const prober = new Prober({
      workload,
      container,
      clock,
      attempt: this.#options.attempt,
      ...(detectsHttp2 === undefined ? {} : { detectsHttp2 }),
      onStarted: () => {
        this.#isStarted = true
        this.#hasStarted.resolve(true)
        onChange()
      },
      onReady: (isReady) => {
        this.#isReady = isReady
        onChange()
      },
      onUnwell: (probe, message) => {
        isUnwell = true
        event('Normal', 'Killing', `Container ${this.name} failed ${probeKind(message)} probe, will be restarted`)
        prober[Symbol.dispose]()
        this.#isReady = false
        onChange()
        void this.#end(workload, this.#unwellGraceMs(probe))
      },
      onFailure: (message) => event('Warning', 'Unhealthy', message),
    })
    this.#prober = prober
    prober.start()
    onChange()
    const exit = await workload.exited
    prober[Symbol.dispose]()
    // Nobody shall send anything to it while its last words are read.
    this.#workload = undefined
    this.#isReady = false
    this.#isStarted = false
    onChange()
    const end = { policy: container.terminationMessagePolicy, startedMs, nowMs: clock.now() }
    const terminated = await terminatedState(workload, exit, end)
    log.info('container ended', { container: this.name, exitCode: terminated.exitCode })
    this.#state = { terminated }
    onChange()
    const isReplacing = this.#isReplacing
    this.#isReplacing = false
    if (this.#isStopping || (!isReplacing && !this.#restartsAfter(terminated.exitCode))) return
    this.#lastState = { terminated }
    if (clock.monotonicMs() - beganMs >= steadyMs) this.#shortLives = 0
    // An unwell container is started again at once, the first time.
    const isAtOnce = isReplacing || (isUnwell && this.#shortLives === 0)
    const delayMs = isAtOnce ? 0 : backOffMsAfter(this.#shortLives)
    if (!isReplacing) this.#shortLives++
    if (delayMs > 0) {
      const message = `back-off ${delayMs / 1_000}s restarting failed container=${this.name}`
      this.#state = { waiting: { reason: 'CrashLoopBackOff', message } }
      event('Warning', 'BackOff', `Back-off restarting failed container ${this.name}`)
      onChange()
      await this.#wait(delayMs)
    }
    if (this.#isStopping) return
    this.#restartCount++
    this.#state = { waiting: { reason: 'ContainerCreating' } }
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#isStopping) return
    this.#waiting = new AbortController()
    await sleep(this.#options.clock, delayMs, this.#waiting.signal).catch(() => undefined)
  }

  #restartsAfter(exitCode: number): boolean {
    const { restartPolicy } = this.#options
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
  }

  #unwellGraceMs({ terminationGracePeriodSeconds }: Probe): number {
    if (terminationGracePeriodSeconds !== undefined) return terminationGracePeriodSeconds * 1_000
    return Math.min(this.#options.stopGraceMs, unwellGraceMsMax)
  }
}

const probeKind = (message: string): string => (message.startsWith('Startup') ? 'startup' : 'liveness')

const backOffMsAfter = (failures: number): number => Math.min(backOffMs.min * 2 ** failures, backOffMs.max)
