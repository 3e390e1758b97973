// The third door: where programs run.

export interface WorkloadRuntime extends AsyncDisposable {
  /** Why this runtime cannot run the workload, or `undefined` when it can. */
  objection(spec: WorkloadSpec): string | undefined
  /**
   * Starts one instance; resolves as soon as it exists, ready or not.
   * @throws {KnodeError} WORKLOAD_FAILED when it cannot be started at all, IMAGE_PULL_FAILED when its image is not to be
   *   had.
   */
  start(spec: WorkloadSpec, options?: StartOptions): Promise<Workload>
  /**
   * Gets ready for a workload that will be started some time: a warm spare, say. Returns at once, and may be repeated for
   * the same workload; a runtime without it has nothing to prepare.
   */
  prewarm?(spec: WorkloadSpec): void
  /**
   * `NAME@sha256:…` for an image given by tag, `undefined` for one that has no digest here: a local build, a process, an
   * image that is built in.
   * @throws {KnodeError} IMAGE_PULL_FAILED when the registry was asked and did not know it.
   */
  resolveDigest?(spec: WorkloadSpec): Promise<string | undefined>
}

export interface StartOptions {
  /** Hears what takes long: the image's way here. */
  onProgress?: (progress: StartProgress) => void
  /** Gives up the start; the promise rejects. What was made so far is removed. */
  signal?: AbortSignal
}

export type StartProgress =
  | { kind: 'pulling'; image: string; /** Of all layers known by now. */ receivedBytes: number; totalBytes: number }
  | { kind: 'pulled'; image: string; tookMs: number }
  | { kind: 'present'; image: string }

/** The port a program is meant to listen on when its container names none. Source: Knative runtime contract. */
export const defaultContainerPort = 8080

/** One container of a Pod. */
export interface WorkloadSpec {
  /** Unique among running instances; the Pod's name, and the container's when there are several. */
  name: string
  namespace: string
  /** A second name its logs are found under, shared by instances: the serving Service's. */
  group?: string
  image: string
  /** @default `Always` for the tag `latest` or none, else `IfNotPresent`, as in Kubernetes */
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  /** Credentials for the registries that the image may come from, from imagePullSecrets. */
  imageCredentials?: readonly ImageCredentials[]
  /** Shell command line of annotation `knode.dev/command`: run as a local process instead of the image. */
  processCommand?: string
  /** Module of annotation `knode.dev/function`, below `workdir` unless absolute: its handler is run instead of the image. */
  functionFile?: string
  /** Working directory. @default Knode's own (annotation `knode.dev/workdir`), the image's for a container */
  workdir?: string
  /** Replace the image's entry point and arguments. A process gets `args` behind its command line. */
  command?: string[]
  args?: string[]
  /** Complete but for PORT, which the runtime sets. */
  env: Record<string, string>
  /** The port it is told in PORT if that is possible; a process is always told a free one. @default 8080 */
  containerPort?: number
  /** Further ports it listens on, for probes. */
  otherPorts?: readonly number[]
  mounts?: readonly WorkloadMount[]
  /** Upper limits. What a process cannot be held to on this machine is not enforced; see docs/workloads.md. */
  resources?: WorkloadResources
  user?: { uid?: number; gid?: number }
  readOnlyRootFilesystem?: boolean
  /** Linux capabilities without `CAP_`, or `ALL`. Containers only. */
  capabilities?: { add?: readonly string[]; drop?: readonly string[] }
  /** Shares the network of a running one: both reach each other on localhost. Containers; processes share the host's. */
  network?: { of: Workload }
  /** Names it can resolve beside those of DNS. */
  hostAliases?: readonly { ip: string; hostnames: readonly string[] }[]
}

/** A file or folder of this machine that the workload sees. */
export interface WorkloadMount {
  hostPath: string
  /** Absolute. A process finds it at `$KNODE_MOUNTS` + `mountPath`. */
  mountPath: string
  readOnly?: boolean
  /** File or folder inside `hostPath` that is mounted instead of it. */
  subPath?: string
}

export interface WorkloadResources {
  /** Thousandths of a CPU. */
  cpuMillis?: number
  memoryBytes?: number
}

/** One entry of a Secret of type kubernetes.io/dockerconfigjson. */
export interface ImageCredentials {
  /** Host name of the registry, with its port if it has one. */
  registry: string
  username: string
  password: string
}

export interface WorkloadExit {
  /** Exit code, when it ended by itself. */
  code?: number
  /** Signal name, when it was ended by one. */
  signal?: string
  /** It needed more memory than it was allowed. */
  outOfMemory?: boolean
}

/** What an instance has used, all of its processes together. */
export interface WorkloadUsage {
  /** Processor time since its start, in milliseconds: the difference of two looks over the time between is its load. */
  cpuMs: number
  /** Memory it holds now. */
  memoryBytes: number
}

export interface ExecResult {
  code: number
  /** Both streams as they came, cut after {@link execOutputBytesMax}. */
  output: string
}

/** Most output of a command run inside an instance that is kept. Source: kubelet's limit for exec probes. */
export const execOutputBytesMax = 10_240

export interface LogLine {
  /** Milliseconds since 1970. */
  timeMs: number
  stream: 'stdout' | 'stderr'
  /** Without line end. */
  text: string
}

export interface LogOptions {
  /** Go on with new lines until the workload ends or `signal` aborts. @default false */
  follow?: boolean
  /** With `follow`, of instances: also when none is known yet. @default false */
  awaitStart?: boolean
  /** Only the last lines. @default all that are kept */
  tailLines?: number
  signal?: AbortSignal
}

/** Logs of instances that run, or ran a while ago. */
export interface WorkloadLogs {
  /** Lines of the instances of that name or group, oldest first; `undefined` when none is known nor awaited. */
  logs(namespace: string, name: string, options?: LogOptions): AsyncIterable<LogLine> | undefined
}

/** One running instance. */
export interface Workload {
  readonly spec: WorkloadSpec
  /** Where its ports are reached from this process. It may settle only once it is ready. */
  readonly host: string
  /** The port on `host` that leads to the container port. */
  readonly port: number
  /** The image it runs, `NAME@sha256:…` when that is known. */
  readonly imageId?: string
  /** The port on `host` that leads to a container port, `undefined` when nothing does. */
  portOf(containerPort: number): number | undefined
  /** Resolves when it accepts connections. @throws {KnodeError} WORKLOAD_FAILED when it ends first, TIMED_OUT. */
  ready(options: { timeoutMs: number }): Promise<void>
  /**
   * Why nothing answers on its port, in words, when that can be told: `listens on 8080, not on PORT 23012`. `undefined`
   * when it listens as it should, or nothing is known.
   */
  listeningTrouble?(): Promise<string | undefined>
  /** Resolves when it has ended, however that came. */
  readonly exited: Promise<WorkloadExit>
  logs(options?: LogOptions): AsyncIterable<LogLine>
  /**
   * Runs a command where the instance runs, with its environment.
   * @throws {KnodeError} WORKLOAD_FAILED when it cannot be started (some engines tell that by codes 126 and 127),
   *   TIMED_OUT when it was still running; a process is killed then, in a container it may go on.
   */
  exec?(command: readonly string[], options: { timeoutMs: number }): Promise<ExecResult>
  /** `undefined` when it has ended or the system does not tell. */
  usage?(): Promise<WorkloadUsage | undefined>
  /** Asks it to end (SIGTERM), forces it after `graceMs`; resolves when it is gone. Twice is fine. */
  stop(options: { graceMs: number }): Promise<void>
}
