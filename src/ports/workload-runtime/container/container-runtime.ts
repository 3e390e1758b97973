// Runs images as containers of Docker or Podman.
import { getServers } from 'node:dns'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import { LogRing } from '../log-ring.ts'
import type { LogRingLimits } from '../log-ring.ts'
import type { StartOptions, Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { PortPool } from '../port-pool.ts'
import { ClusterDns } from './cluster-dns.ts'
import { ContainerWorkload, removeContainer } from './container-workload.ts'
import type { ContainerState } from './container-workload.ts'
import { createBody, portsOf } from './create-body.ts'
import { EngineFinder } from './engine.ts'
import type { FoundEngine } from './engine.ts'
import { EngineRefusal } from './engine-client.ts'
import type { GatewayView } from './gateway-addresses.ts'
import { HostRelay } from './host-relay.ts'
import { Images } from './images.ts'
import { parseImage } from './image-reference.ts'
import { endOrphanContainers } from './orphan-containers.ts'

export interface ContainerRuntimeOptions {
  clock: Clock
  random: Random
  log: Logger
  /** Marks Knode's containers: those with the same mark are ended at the start. An absolute path. */
  owner: string
  /** Exists once a container was started: without it there is nothing to clean up. @default always cleans up */
  markerFile?: string
  /** Port of Knode's gateway on loopback, once it is known. */
  gatewayPort?: () => number | undefined
  /** Shared with everybody who gives ports to programs. @default one of its own */
  ports?: PortPool
  /** Tells the engine's address. @default the environment of this process */
  env?: Readonly<Record<string, string | undefined>>
  logLimits?: LogRingLimits
  /** What containers still running when the runtime is closed get to end, in milliseconds. @default 2_000 */
  closeGraceMs?: number
}

/** What a container is made of beside its spec. */
interface Launch {
  /** The image's name for the engine. */
  image: string
  /** By port of the container: the one on the loopback interface that leads to it. */
  published: ReadonlyMap<number, number>
  signal: AbortSignal | undefined
}

interface StartedContainer {
  id: string
  state: ContainerState
  output: Readable
  imageId: string | undefined
}

/** Ports that are tried when others take them from under a container that is about to start. */
const portTriesMax = 3

/** Port on which names of the cluster are asked by programs that know nothing of Knode. */
const clusterPort = 80

export function createContainerRuntime(options: ContainerRuntimeOptions): WorkloadRuntime {
  return new ContainerRuntime(options)
}

class ContainerRuntime implements WorkloadRuntime {
  #options: ContainerRuntimeOptions
  #finder: EngineFinder
  #ports: PortPool
  #images: { engine: FoundEngine; images: Images } | undefined
  #running = new Set<ContainerWorkload>()
  #starting = new Set<Promise<unknown>>()
  #doors: AsyncDisposable[] = []
  /** Under way. */
  #cleaning: Promise<void> | undefined
  /** Nothing of an earlier Knode is left. */
  #isClean = false
  /** There may be containers of our own, which bear the same mark. */
  #hasBegun = false
  #isMarked = false
  /** Aborts when the runtime is being closed. */
  #closing = new AbortController()

  constructor(options: ContainerRuntimeOptions) {
    this.#options = options
    this.#ports = options.ports ?? new PortPool(options.random)
    this.#finder = new EngineFinder(options.clock, options.env ?? process.env)
    void this.#cleanUp()
  }

  objection({ image }: WorkloadSpec): string | undefined {
    if (parseImage(image) === undefined) return `${image || '""'} is no image reference`
    return this.#finder.objection()
  }

  prewarm(spec: WorkloadSpec): void {
    // The engine's first answer may take a while; whoever starts the workload is told what goes wrong.
    if (this.objection(spec) === undefined) void this.#finder.find().catch(() => undefined)
  }

  async resolveDigest(spec: WorkloadSpec): Promise<string | undefined> {
    return this.#imagesOf(await this.#finder.find()).resolveDigest(spec)
  }

  async start(spec: WorkloadSpec, options: StartOptions = {}): Promise<Workload> {
    const objection = this.#closing.signal.aborted ? 'Knode is shutting down' : this.objection(spec)
    if (objection !== undefined) throw this.#failure(spec, objection)
    const started = this.#start(spec, options)
    this.#starting.add(started)
    try {
      return await started
    } finally {
      this.#starting.delete(started)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#starting)
    const { closeGraceMs = 2_000, markerFile } = this.#options
    await Promise.all([...this.#running].map((workload) => workload.stop({ graceMs: closeGraceMs })))
    await Promise.all(this.#doors.map((door) => door[Symbol.asyncDispose]()))
    await this.#cleaning
    // What could not be ended is for the next Knode to find.
    if (markerFile !== undefined && this.#isClean) await rm(markerFile, { force: true })
    this.#finder[Symbol.dispose]()
  }

  async #start(spec: WorkloadSpec, { onProgress, signal }: StartOptions): Promise<Workload> {
    const engine = await this.#unless(signal, spec, this.#finder.find())
    await this.#unless(signal, spec, this.#cleanUp())
    this.#hasBegun = true
    // A pull may take for ever, and goes on without us: others may want the image, too.
    const image = await this.#unless(signal, spec, this.#imagesOf(engine).ensure(spec, onProgress))
    await this.#mark()
    for (let tries = 1; ; tries++) {
      const published = await this.#publish(spec, engine)
      try {
        const workload = await this.#launch(spec, engine, { image, published, signal })
        void workload.gone.then(() => this.#release(published))
        return workload
      } catch (thrown) {
        this.#release(published)
        if (signal?.aborted === true) throw thrown
        if (tries < portTriesMax && isPortTaken(thrown)) continue
        if (!(thrown instanceof EngineRefusal)) this.#finder.lose()
        throw this.#failure(spec, messageOf(thrown), thrown)
      }
    }
  }

  /** What `work` comes to, unless the start is given up before. @throws */
  async #unless<Result>(signal: AbortSignal | undefined, spec: WorkloadSpec, work: Promise<Result>): Promise<Result> {
    const closing = this.#closing.signal
    const { promise: abandoned, reject } = Promise.withResolvers<never>()
    const giveUp = (): void =>
      reject(closing.aborted ? this.#failure(spec, 'Knode is shutting down') : (signal?.reason as Error))
    for (const each of [signal, closing]) each?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted === true || closing.aborted) giveUp()
    try {
      return await Promise.race([work, abandoned])
    } finally {
      for (const each of [signal, closing]) each?.removeEventListener('abort', giveUp)
    }
  }

  /** Takes ports of the loopback interface for those of a container that is reached by them. */
  async #publish(spec: WorkloadSpec, { network }: FoundEngine): Promise<ReadonlyMap<number, number>> {
    const published = new Map<number, number>()
    if (network.reach !== 'published' || spec.network !== undefined) return published
    for (const port of portsOf(spec)) published.set(port, await this.#ports.take())
    return published
  }

  #release(published: ReadonlyMap<number, number>): void {
    for (const port of published.values()) this.#ports.release(port)
  }

  async #launch(
    spec: WorkloadSpec,
    engine: FoundEngine,
    { image, published, signal }: Launch,
  ): Promise<ContainerWorkload> {
    let id: string | undefined
    const isStarted = new AbortController()
    try {
      id = await this.#create(spec, engine, { image, published })
      const doors = this.#openDoors(engine, isStarted.signal)
      const attach = { stream: 'true', stdout: 'true', stderr: 'true' }
      const output = await engine.client.stream('POST', `/containers/${id}/attach`, { query: attach })
      await engine.client.call('POST', `/containers/${id}/start`)
      isStarted.abort()
      const state = await engine.client.call<ContainerState>('GET', `/containers/${id}/json`)
      const imageId = await this.#imagesOf(engine).idOf(image)
      await doors
      signal?.throwIfAborted()
      return this.#adopt(spec, engine, { id, state, output, imageId })
    } catch (thrown) {
      isStarted.abort()
      if (id !== undefined) await removeContainer(engine.client, id).catch(() => undefined)
      throw thrown
    }
  }

  async #create(
    spec: WorkloadSpec,
    { client, network }: FoundEngine,
    { image, published }: Pick<Launch, 'image' | 'published'>,
  ): Promise<string> {
    const { owner, random } = this.#options
    const sharing = spec.network?.of
    if (sharing !== undefined && !(sharing instanceof ContainerWorkload)) {
      throw this.#failure(spec, 'a container cannot share the network of a process')
    }
    const body = createBody({
      spec,
      image,
      owner,
      network,
      gateway: this.#gateway(network),
      servers: getServers(),
      sharesNetworkOf: sharing?.id,
      published,
    })
    const name = `knode_${spec.namespace}_${spec.name}_${random.uuid().slice(0, 8)}`
    const { Id } = await client.call<{ Id: string }>('POST', '/containers/create', { query: { name }, body })
    return Id
  }

  #adopt(
    spec: WorkloadSpec,
    { client, network }: FoundEngine,
    { id, state, output, imageId }: StartedContainer,
  ): ContainerWorkload {
    const { clock, logLimits } = this.#options
    const owner = spec.network?.of
    const address = addressOf(state)
    const isDirect = network.reach === 'direct' && address !== undefined
    const publishedPort = (port: number): number | undefined => {
      const found = state.NetworkSettings?.Ports?.[`${port}/tcp`]?.[0]?.HostPort
      return found === undefined ? undefined : Number(found)
    }
    const portOf = (port: number): number | undefined => (isDirect ? port : publishedPort(port))
    const workload = new ContainerWorkload(spec, {
      engine: client,
      clock,
      ring: new LogRing(clock, logLimits),
      id,
      address,
      host: owner?.host ?? (isDirect ? address : '127.0.0.1'),
      portOf: owner === undefined ? portOf : (port) => owner.portOf(port),
      // Docker tells it as it stands in the image, Podman as a number.
      stopSignal: state.Config?.StopSignal || 'SIGTERM',
      pid: network.isLocal ? state.State.Pid : undefined,
      output,
      imageId,
    })
    if (owner instanceof ContainerWorkload) owner.isSharedWith(workload)
    this.#running.add(workload)
    void workload.gone.then(() => this.#running.delete(workload))
    return workload
  }

  #gateway({ hostAddress, hostName }: FoundEngine['network']): GatewayView | undefined {
    const port = this.#options.gatewayPort?.()
    return port === undefined ? undefined : { port, hostAddress, hostName }
  }

  /** Containers with addresses of their own find the gateway, and its names, at this machine's address in their network. */
  async #openDoors({ network }: FoundEngine, patience: AbortSignal): Promise<void> {
    const gatewayPort = this.#options.gatewayPort?.()
    if (!network.needsRelay || gatewayPort === undefined || this.#doors.length > 0) return
    const { clock, log } = this.#options
    const isOurs = (peer: string): boolean => [...this.#running].some(({ address }) => address === peer)
    // The address of one that is just starting is not known yet.
    const mayUse = async (peer: string): Promise<boolean> => {
      while (!isOurs(peer) && this.#starting.size > 0) await Promise.race(this.#starting).catch(() => undefined)
      return isOurs(peer)
    }
    const shared = { clock, log, address: network.hostAddress, mayUse }
    const relay = new HostRelay({ ...shared, gatewayPort })
    const dns = new ClusterDns({ ...shared, servers: getServers })
    this.#doors = [relay, dns]
    const ports = gatewayPort === clusterPort ? [gatewayPort] : [gatewayPort, clusterPort]
    await Promise.all([...ports.map((port) => relay.listen(port, patience)), dns.listen(patience)])
  }

  #imagesOf(engine: FoundEngine): Images {
    if (this.#images?.engine !== engine) {
      this.#images = { engine, images: new Images(engine.client, this.#options.clock) }
    }
    return this.#images.images
  }

  async #mark(): Promise<void> {
    const { markerFile } = this.#options
    if (markerFile === undefined || this.#isMarked) return
    this.#isMarked = true
    await mkdir(dirname(markerFile), { recursive: true })
    await writeFile(markerFile, '')
  }

  /** Ends what an earlier Knode has left; where that fails it is tried again until there are containers of our own. */
  #cleanUp(): Promise<void> {
    if (this.#isClean || this.#hasBegun) return Promise.resolve()
    this.#cleaning ??= this.#tryCleaning().finally(() => (this.#cleaning = undefined))
    return this.#cleaning
  }

  /** Never rejects. */
  async #tryCleaning(): Promise<void> {
    const { markerFile, owner, log } = this.#options
    if (markerFile !== undefined && !(await stat(markerFile).catch(() => undefined))) {
      this.#isClean = true
      return
    }
    if (this.#finder.objection() !== undefined) return
    try {
      const { signal } = this.#closing
      await endOrphanContainers((await this.#finder.find()).client, owner, { log, signal })
      this.#isClean = true
    } catch (thrown) {
      log.warn('containers of an earlier Knode may be left', { reason: messageOf(thrown) })
    }
  }

  #failure({ namespace, name }: WorkloadSpec, why: string, cause?: unknown): KnodeError {
    return new KnodeError('WORKLOAD_FAILED', `${namespace}/${name} cannot be started: ${why}`, { cause })
  }
}

/** Docker and Podman say it in words only. */
const isPortTaken = (thrown: unknown): boolean =>
  thrown instanceof EngineRefusal && /port is already allocated|address already in use/i.test(thrown.message)

function addressOf({ NetworkSettings }: ContainerState): string | undefined {
  const networks = Object.values(NetworkSettings?.Networks ?? {})
  const address = [NetworkSettings?.IPAddress, ...networks.map(({ IPAddress }) => IPAddress)].find(Boolean)
  return address === '' ? undefined : address
}
