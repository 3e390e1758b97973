// The third door: where programs run.

export interface WorkloadRuntime extends AsyncDisposable {
  /** Why this runtime cannot run the workload, or `undefined` when it can. */
  objection(spec: WorkloadSpec): string | undefined
  /**
   * Starts one instance; resolves as soon as it exists, ready or not.
   * @throws {KnodeError} WORKLOAD_FAILED when it cannot be started at all.
   */
  start(spec: WorkloadSpec): Promise<Workload>
}

export interface WorkloadSpec {
  /** Unique among running instances; the Pod's name. */
  name: string
  namespace: string
  /** A second name its logs are found under, shared by instances: the serving Service's. */
  group?: string
  image: string
  /** Shell command line of annotation `knode.dev/command`: run as a local process instead of the image. */
  processCommand?: string
  /** Working directory of `processCommand` (annotation `knode.dev/workdir`). @default Knode's own */
  workdir?: string
  /** Replace the image's entry point and arguments. */
  command?: string[]
  args?: string[]
  /** Complete but for PORT, which the runtime sets. */
  env: Record<string, string>
  /** The port it is told in PORT if that is possible. @default a free one */
  containerPort?: number
}

export interface WorkloadExit {
  /** Exit code, when it ended by itself. */
  code?: number
  /** Signal name, when it was ended by one. */
  signal?: string
}

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
  /** Only the last lines. @default all that are kept */
  tailLines?: number
  signal?: AbortSignal
}

/** Logs of instances that run, or ran a while ago. */
export interface WorkloadLogs {
  /** Lines of the instances of that name or group, oldest first; `undefined` when none is known. */
  logs(namespace: string, name: string, options?: LogOptions): AsyncIterable<LogLine> | undefined
}

/** One running instance. */
export interface Workload {
  readonly spec: WorkloadSpec
  /** Where it listens, once it is ready. */
  readonly host: string
  readonly port: number
  /** Resolves when it accepts connections. @throws {KnodeError} WORKLOAD_FAILED when it ends first, TIMED_OUT. */
  ready(options: { timeoutMs: number }): Promise<void>
  /** Resolves when it has ended, however that came. */
  readonly exited: Promise<WorkloadExit>
  logs(options?: LogOptions): AsyncIterable<LogLine>
  /** Asks it to end (SIGTERM), forces it after `graceMs`; resolves when it is gone. Twice is fine. */
  stop(options: { graceMs: number }): Promise<void>
}
