// Runs one Pod: init containers in order, then its containers; tells the table of Pods where it is reached and whether
// it is ready; ends it gracefully. Source: kubernetes/kubernetes pkg/kubelet.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { ContainerStatus, Pod, PodStatus } from '../../model/kubernetes/pod/pod.ts'
import type { WorkloadRuntime, WorkloadSpec } from '../../ports/workload-runtime/port.ts'
import type { PodTable } from '../serving.ts'
import { ContainerRunner } from './container-runner.ts'
import { PodPresenceKeeper } from './pod-presence.ts'
import { sourcesOf, tellsOfItself } from './pod-sources.ts'
import type { FindSource } from './pod-sources.ts'
import { podStatus } from './pod-status.ts'
import { PodVolumes } from './pod-volumes.ts'
import { attemptProbe } from './probe-attempt.ts'
import type { ProbeAttempt } from './probe-attempt.ts'
import { keepSubPathInside } from './sub-path.ts'
import { VolumeDirectory } from './volume-directory.ts'
import { servingContainer, workloadSpec } from './workload-spec.ts'

export interface PodRunnerOptions {
  /** As stored; its status, if it has one, is what another Knode left. */
  pod: Pod
  /** ConfigMaps and Secrets of its namespace, as they are now. */
  find: FindSource
  /** Where its volumes go; below it, nothing is anybody else's. */
  directory: string
  /** Signs tokens of service accounts. */
  tokenKey: string
  /** Called whenever the status may have changed. Must not throw. */
  onChange: () => void
  event: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  /** @default probes over the network */
  attempt?: ProbeAttempt
  /** Whether httpGet probes find out if programs speak HTTP/2; asked at each look. @default never */
  detectsHttp2?: () => boolean
  runtime: WorkloadRuntime
  pods: PodTable
  clock: Clock
  random: Random
  log: Logger
}

/** What containers get between SIGTERM and SIGKILL even when draining took all of the grace period, in milliseconds. */
const stopMsMin = 2_000
/** Between two renewals of tokens at least, whatever the clock says, in milliseconds. */
const renewalMsMin = 1_000

export class PodRunner {
  #options: PodRunnerOptions
  #pod: Pod
  #init: ContainerRunner[]
  #containers: ContainerRunner[]
  #serving: ContainerRunner | undefined
  #volumes: PodVolumes
  #presence: PodPresenceKeeper
  /** Versions of the ConfigMaps and Secrets it is told of, as one text. */
  #sources = ''
  #startedMs: number
  #failure: { reason: string; message: string } | undefined
  #trouble: string | undefined
  #running: Promise<void> = Promise.resolve()
  #stopping: { untilMs: number; done: Promise<void> } | undefined
  #hasStopped = false
  #cancelDeadline: CancelTimer = () => undefined
  #cancelRenewal: CancelTimer = () => undefined

  constructor(options: PodRunnerOptions) {
    const { pod, pods, directory, find, tokenKey, random, clock } = options
    this.#options = options
    this.#pod = pod
    this.#startedMs = clock.now()
    const files = new VolumeDirectory(directory, random)
    this.#volumes = new PodVolumes({ directory: files, find, tokenKey, clock })
    const { spec, status } = pod
    const serving = servingContainer(spec)
    const policy = spec.restartPolicy as 'Always' | 'OnFailure' | 'Never'
    const initPolicy = policy === 'Never' ? 'Never' : 'OnFailure'
    this.#init = (spec.initContainers ?? []).map((container) => {
      const own = container.restartPolicy === 'Always' ? 'Always' : initPolicy
      return this.#runnerOf(container, own, status?.initContainerStatuses)
    })
    this.#containers = (spec.containers ?? []).map((container) =>
      this.#runnerOf(container, policy, status?.containerStatuses),
    )
    this.#serving = this.#containers.find(({ container }) => container === serving)
    this.#presence = new PodPresenceKeeper({ pods, pod, containers: this.#containers, serving: this.#serving })
  }

  /** Starts it and returns; {@link status} tells what comes of it. */
  start(): void {
    const { log } = this.#options
    this.#sources = this.#sourceVersions()
    this.#setDeadline()
    this.#running = this.#run().catch((err: unknown) => log.error('containers could not be looked after', { err }))
  }

  get status(): PodStatus {
    return podStatus({
      pod: this.#pod,
      init: this.#init,
      containers: this.#containers,
      host: this.#presence.host ?? this.#pod.status?.podIP,
      startedMs: this.#startedMs,
      nowMs: this.#options.clock.now(),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    })
  }

  /** All of its containers have ended after {@link stop}. */
  get hasStopped(): boolean {
    return this.#hasStopped
  }

  /** Takes over what may change while it runs: labels, images, and what ConfigMaps and Secrets say. */
  async refresh(pod: Pod): Promise<void> {
    const isNewDeadline = pod.spec.activeDeadlineSeconds !== this.#pod.spec.activeDeadlineSeconds
    this.#pod = pod
    if (isNewDeadline && this.#stopping === undefined) this.#setDeadline()
    this.#presence.relabel(pod.metadata.labels ?? {})
    if (this.#stopping === undefined) this.#replaceImages()
    const sources = this.#sourceVersions()
    if (this.#stopping !== undefined || sources === this.#sources) return
    this.#sources = sources
    for (const runner of [...this.#init, ...this.#containers]) runner.retry()
    if (this.#containers.every(({ workload }) => workload === undefined)) return
    await this.#refill()
  }

  /** Running containers see new content of their volumes; what is missing now stays as it was. */
  async #refill(): Promise<void> {
    await this.#volumes.fill(this.#pod).catch((err: unknown) => {
      this.#options.log.warn('volumes could not be brought up to date', { err: messageOf(err) })
    })
    this.#renewLater()
  }

  /** Tokens are replaced before they are out of date. */
  #renewLater(): void {
    const { clock } = this.#options
    this.#cancelRenewal()
    const { renewMs } = this.#volumes
    if (renewMs === undefined || this.#stopping !== undefined) return
    this.#cancelRenewal = clock.setTimer(Math.max(renewalMsMin, renewMs - clock.now()), () => void this.#refill())
  }

  /**
   * Takes no new requests, finishes those there are, and ends its containers; resolves when they are gone. May be called
   * again with less time. `keepsData`: the Pod will be started again, its own directories stay.
   */
  stop({ graceMs, keepsData = false }: { graceMs: number; keepsData?: boolean }): Promise<void> {
    const untilMs = this.#options.clock.monotonicMs() + graceMs
    if (this.#stopping === undefined) this.#stopping = { untilMs, done: this.#stop(graceMs, keepsData) }
    else if (untilMs < this.#stopping.untilMs) {
      this.#stopping.untilMs = untilMs
      void this.#endContainers(graceMs)
    }
    return this.#stopping.done
  }

  async #run(): Promise<void> {
    const sidecars: { runner: ContainerRunner; ended: Promise<void> }[] = []
    for (const runner of this.#init) {
      const ended = runner.run()
      if (runner.container.restartPolicy === 'Always') {
        sidecars.push({ runner, ended })
        if (!(await runner.hasStarted)) return
      } else {
        await ended
        if (runner.end?.exitCode !== 0) return
      }
    }
    const others = this.#containers.filter((container) => container !== this.#serving)
    const first = this.#serving?.run()
    // Whoever shares its network can only start after it.
    if (others.length > 0) await this.#serving?.firstStart
    await Promise.all([first, ...others.map((container) => container.run())])
    if (this.#stopping === undefined) this.#presence.remove()
    // Sidecars end with those they stand beside.
    const graceMs = this.#graceMs
    await Promise.all(sidecars.map(({ runner }) => runner.stop({ graceMs })))
    await Promise.all(sidecars.map(({ ended }) => ended))
  }

  #runnerOf(
    container: Container,
    restartPolicy: 'Always' | 'OnFailure' | 'Never',
    statuses: readonly ContainerStatus[] | undefined,
  ): ContainerRunner {
    const { attempt = attemptProbe, detectsHttp2, runtime, clock, log } = this.#options
    const event: PodRunnerOptions['event'] = (type, reason, message) => {
      this.#options.event(type, reason, message)
      if (reason === 'Unhealthy') void this.#lookForTrouble()
    }
    const previous = statuses?.find(({ name }) => name === container.name)
    return new ContainerRunner({
      container,
      restartPolicy,
      event,
      attempt,
      ...(detectsHttp2 === undefined ? {} : { detectsHttp2 }),
      runtime,
      clock,
      log,
      prepare: (present, restartCount) => this.#prepare(present, restartCount),
      stopGraceMs: this.#graceMs,
      onChange: () => this.#onChange(),
      ...(previous === undefined ? {} : { previous }),
    })
  }

  /** A program that listens elsewhere is the usual reason why one does not become ready. */
  async #lookForTrouble(): Promise<void> {
    const trouble = await this.#serving?.workload?.listeningTrouble?.().catch(() => undefined)
    if (trouble === undefined || this.#serving?.isReady === true) return
    this.#trouble = trouble
    this.#options.onChange()
  }

  async #prepare(container: Container, restartCount: number): Promise<WorkloadSpec> {
    await this.#volumes.fill(this.#pod)
    this.#renewLater()
    const serving = this.#serving?.workload
    const sharesNetwork = serving !== undefined && container.name !== this.#serving?.name
    const spec = workloadSpec(container, {
      pod: this.#pod,
      find: this.#options.find,
      volumePath: (volume) => this.#volumes.pathOf(volume),
      restartCount,
      ...(sharesNetwork ? { networkOf: serving } : {}),
    })
    // In the order of `volumeMounts`.
    for (const [index, { hostPath, subPath }] of (spec.mounts ?? []).entries()) {
      if (subPath === undefined) continue
      const volume = this.#pod.spec.volumes?.find(({ name }) => name === container.volumeMounts?.[index]?.name)
      await keepSubPathInside(hostPath, subPath, volume?.emptyDir !== undefined)
    }
    return spec
  }

  #replaceImages(): void {
    const { initContainers = [], containers = [] } = this.#pod.spec
    for (const runner of [...this.#init, ...this.#containers]) {
      const wanted = [...initContainers, ...containers].find(({ name }) => name === runner.name)
      if (wanted !== undefined && wanted.image !== runner.container.image) runner.replace(wanted)
    }
  }

  /** Containers whose network went with an instance that is no more get a new one; processes share the machine's. */
  #followNetwork(): void {
    const { workload: owner } = this.#serving ?? {}
    if (owner === undefined) return
    for (const runner of this.#containers) {
      const { network, processCommand, functionFile } = runner.workload?.spec ?? {}
      const isContainer = processCommand === undefined && functionFile === undefined
      if (isContainer && network !== undefined && network.of !== owner) runner.replace()
    }
  }

  #sourceVersions(): string {
    const { find } = this.#options
    const { metadata, spec } = this.#pod
    const versions = sourcesOf(spec)
      .map(({ kind, name }) => find(kind, name)?.metadata)
      .map((found) => `${found?.uid} ${found?.resourceVersion}`)
    return [
      ...versions,
      ...(tellsOfItself(spec) ? [JSON.stringify([metadata.labels, metadata.annotations])] : []),
    ].join()
  }

  /** Senders hear of it before anybody else does. */
  #onChange(): void {
    const sidecars = this.#init.filter(({ container }) => container.restartPolicy === 'Always')
    const isReady = this.#stopping === undefined && [...sidecars, ...this.#containers].every((each) => each.isReady)
    this.#presence.tell(isReady)
    if (this.#stopping === undefined) this.#followNetwork()
    if (isReady) this.#trouble = undefined
    this.#options.onChange()
  }

  get #graceMs(): number {
    return (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000
  }

  #setDeadline(): void {
    const { clock } = this.#options
    const { spec, status } = this.#pod
    this.#cancelDeadline()
    if (spec.activeDeadlineSeconds === undefined) return
    const startedMs = status?.startTime === undefined ? this.#startedMs : Date.parse(status.startTime)
    const leftMs = startedMs + spec.activeDeadlineSeconds * 1_000 - clock.now()
    this.#cancelDeadline = clock.setTimer(leftMs, () => this.#exceedDeadline())
  }

  #exceedDeadline(): void {
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#failure = { reason: 'DeadlineExceeded', message }
    this.#options.event('Normal', 'DeadlineExceeded', message)
    void this.stop({ graceMs: this.#graceMs })
  }

  async #stop(graceMs: number, keepsData: boolean): Promise<void> {
    const { clock, event, log } = this.#options
    this.#cancelDeadline()
    this.#cancelRenewal()
    const stoppedMs = clock.monotonicMs()
    if (this.#containers.some(({ container }) => container.lifecycle?.preStop !== undefined)) {
      event('Normal', 'PreStopIgnored', 'Knode runs no preStop hooks: requests in flight are finished without them')
    }
    for (const container of [...this.#init, ...this.#containers]) container.retire()
    await this.#presence.drain({ timeoutMs: graceMs })
    const leftMs = Math.max(0, (this.#stopping?.untilMs ?? stoppedMs + graceMs) - clock.monotonicMs())
    await this.#endContainers(graceMs === 0 ? 0 : Math.max(leftMs, stopMsMin))
    await this.#running
    this.#presence.remove()
    await this.#volumes.remove({ keepsData }).catch((err: unknown) => {
      log.warn('volumes could not be removed', { err })
    })
    this.#hasStopped = true
    this.#options.onChange()
  }

  async #endContainers(graceMs: number): Promise<void> {
    if (graceMs === 0) this.#presence.remove()
    await Promise.all([...this.#containers, ...this.#init].map((container) => container.stop({ graceMs })))
  }
}
