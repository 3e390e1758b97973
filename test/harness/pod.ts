// For tests: one Pod on a fake runtime and a fake clock, with probes that answer as the test says.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../../src/base/eventually.ts'
import { FakeClock, settle } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { setPodDefaults } from '../../src/model/kubernetes/pod/defaults.ts'
import type { Pod, PodStatus } from '../../src/model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../src/model/kubernetes/pod/pod-spec-schema.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { createFakeRuntime } from '../../src/ports/workload-runtime/fake/fake-runtime.ts'
import type { FakeProgram, FakeRuntime, FakeWorkload } from '../../src/ports/workload-runtime/fake/fake-runtime.ts'
import { createPodTable } from '../../src/engine/pod-table.ts'
import type { PodEndpoint, PodTable } from '../../src/engine/serving.ts'
import { PodRunner } from '../../src/engine/pods/pod-runner.ts'
import type { ProbeResult } from '../../src/engine/pods/probe-attempt.ts'

/** A container, and a ConfigMap that it may use. */
export const app = { name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 8080 }] }
export const settings: Resource & { data: Record<string, string> } = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', uid: 'u', resourceVersion: '1' },
  data: { COLOR: 'blue' },
}

export interface TestPod extends AsyncDisposable {
  runner: PodRunner
  pod: Pod
  clock: FakeClock
  runtime: FakeRuntime
  pods: PodTable
  /** What is stored beside the Pod, by kind and name; a test may change it. */
  objects: Record<string, Resource>
  /** What probes say, by the name of the container. @default well */
  probes: Record<string, ProbeResult>
  events: string[]
  directory: string
  readonly status: PodStatus
  /** Phase, then what each container does in a word. */
  readonly summary: string[]
  /** Its entry in the table of Pods. */
  readonly endpoint: PodEndpoint | undefined
  /** The instances that run now, by the name of the container. */
  readonly running: Record<string, FakeWorkload>
  /** Lets the clock go on, and what follows from it happen; real files and ports may take longer. */
  pass(ms?: number): Promise<void>
}

export interface TestPodOptions {
  spec?: PodSpec
  metadata?: Partial<Pod['metadata']>
  status?: PodStatus
  /** What a container's image does. @default runs until it is stopped */
  programs?: Record<string, FakeProgram>
  objects?: Resource[]
}

export async function aPod(options: TestPodOptions = {}): Promise<TestPod> {
  const clock = new FakeClock()
  const { programs = {}, objects: stored = [] } = options
  const runtime = createFakeRuntime({
    clock,
    program: ({ image }) => (image === 'missing' ? undefined : (programs[image] ?? {})),
  })
  const pods = createPodTable({ clock })
  const directory = join(await mkdtemp(join(tmpdir(), 'knode-pod-')), 'uid')
  const objects = Object.fromEntries(stored.map((object) => [`${object.kind} ${object.metadata.name}`, object]))
  const probes: Record<string, ProbeResult> = {}
  const events: string[] = []
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'uid', labels: { app: 'web' }, ...options.metadata },
    spec: {
      containers: [{ name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 8080 }] }],
      ...options.spec,
    },
    ...(options.status === undefined ? {} : { status: options.status }),
  }
  setPodDefaults(pod.metadata.labels, pod.spec)
  const runner = new PodRunner({
    pod,
    directory,
    runtime,
    pods,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    tokenKey: 'key',
    find: (kind, name) => objects[`${kind} ${name}`],
    attempt: (_, { container }) => Promise.resolve(probes[container.name ?? ''] ?? { isWell: true }),
    onChange: () => undefined,
    event: (type, reason, message) => void events.push(`${type} ${reason} ${message}`),
  })
  const bed: TestPod = {
    runner,
    pod,
    clock,
    runtime,
    pods,
    objects,
    probes,
    events,
    directory,
    get status() {
      return runner.status
    },
    get summary() {
      const { phase = '', initContainerStatuses = [], containerStatuses = [] } = runner.status
      return [phase, ...[...initContainerStatuses, ...containerStatuses].map(wordOf)]
    },
    get endpoint() {
      return pods.select('default', { app: 'web' })[0]
    },
    get running() {
      return Object.fromEntries(runtime.running.map((workload) => [workload.spec.name.split('_')[1]!, workload]))
    },
    async pass(ms = 0) {
      await settle()
      await clock.advance(ms)
      await settle()
    },
    async [Symbol.asyncDispose]() {
      await runner.stop({ graceMs: 0 })
      await runtime[Symbol.asyncDispose]()
      await rm(join(directory, '..'), { recursive: true, force: true })
    },
  }
  return bed
}

function wordOf({ state, ready }: NonNullable<PodStatus['containerStatuses']>[number]): string {
  if (state.running !== undefined) return ready ? 'ready' : 'running'
  return state.waiting?.reason ?? state.terminated?.reason ?? ''
}

/** Lets the Pod go on until it is so. */
export async function until(bed: TestPod, isSo: () => boolean): Promise<void> {
  await eventually(isSo, () => `${String(isSo)}; ${bed.summary.join(' ')}`, { turn: () => bed.pass() })
}

/** Starts the Pod, and resolves when all its containers are ready. */
export async function started(bed: TestPod): Promise<void> {
  bed.runner.start()
  await until(bed, () => bed.summary.slice(1).every((word) => word === 'ready'))
}
