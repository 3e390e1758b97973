// The status of a Pod, from what its containers do. Source: kubernetes/kubernetes pkg/kubelet/kubelet_pods.go getPhase,
// pkg/kubelet/status/generate.go.
import type { ContainerStatus, Pod, PodCondition, PodPhase, PodStatus } from '../../model/kubernetes/pod/pod.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { ContainerRunner } from './container-runner.ts'
import { hostIp } from './pod-facts.ts'

/** What is told of one container. */
export type ContainerView = Pick<ContainerRunner, 'container' | 'status' | 'end' | 'isReady'>

export interface PodView {
  pod: Pod
  init: readonly ContainerView[]
  containers: readonly ContainerView[]
  /** Address of the container that takes requests. */
  host: string | undefined
  startedMs: number
  nowMs: number
  /** Why it was ended from outside. */
  failure?: { reason: string; message: string }
  /** Why nothing is ready, where that is known. */
  trouble?: string
}

export function podStatus(view: PodView): PodStatus {
  const { pod, init, containers, host, startedMs, failure } = view
  const phase = phaseOf(view)
  const hasInit = init.length > 0
  return {
    ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
    phase,
    conditions: conditionsOf(view, phase),
    ...failure,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(host === undefined ? {} : { podIP: host, podIPs: [{ ip: host }] }),
    startTime: pod.status?.startTime ?? kubernetesTime(startedMs),
    ...(hasInit ? { initContainerStatuses: init.map(statusOf) } : {}),
    containerStatuses: containers.map(({ status }) => initializing(status, view)),
  }
}

/** An init container that goes on running is a sidecar: it is done once it has started. */
const isSidecar = ({ container }: ContainerView): boolean => container.restartPolicy === 'Always'

function isDone(view: ContainerView): boolean {
  return isSidecar(view) ? view.status.started === true : view.end?.exitCode === 0
}

const statusOf = (view: ContainerView): ContainerStatus => ({
  ...view.status,
  ready: isSidecar(view) ? view.isReady : view.end?.exitCode === 0,
})

const initializing = (status: ContainerStatus, { init }: PodView): ContainerStatus =>
  init.every(isDone) || status.state.waiting?.reason !== 'ContainerCreating'
    ? status
    : { ...status, state: { waiting: { reason: 'PodInitializing' } } }

function phaseOf({ init, containers, failure }: PodView): PodPhase {
  if (failure !== undefined) return 'Failed'
  if (init.some((view) => view.end !== undefined && view.end.exitCode !== 0)) return 'Failed'
  if (!init.every(isDone)) return 'Pending'
  const ends = containers.map(({ end }) => end)
  if (ends.length > 0 && ends.every((end) => end !== undefined)) {
    return ends.every((end) => end.exitCode === 0) ? 'Succeeded' : 'Failed'
  }
  const hasRun = ({ status: { state, lastState } }: ContainerView): boolean =>
    state.running !== undefined || state.terminated !== undefined || lastState.terminated !== undefined
  return containers.every(hasRun) ? 'Running' : 'Pending'
}

function conditionsOf(view: PodView, phase: PodPhase): PodCondition[] {
  const { pod, init, containers, nowMs, trouble } = view
  const incomplete = init.filter((each) => !isDone(each)).map(({ status }) => status.name)
  const running = [...init.filter(isSidecar), ...containers]
  const unready = running.filter(({ isReady }) => !isReady).map(({ status }) => status.name)
  const isOver = phase === 'Succeeded'
  const words = trouble === undefined ? '' : `: ${trouble}`
  const readiness: Pick<PodCondition, 'status' | 'reason' | 'message'> = isOver
    ? { status: 'False', reason: 'PodCompleted' }
    : phase === 'Failed'
      ? { status: 'False', reason: 'PodFailed' }
      : unready.length === 0
        ? { status: 'True' }
        : {
            status: 'False',
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${unready.join(' ')}]${words}`,
          }
  const initialized: typeof readiness = isOver
    ? { status: 'True', reason: 'PodCompleted' }
    : incomplete.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        }
  const made: PodCondition[] = [
    { type: 'Initialized', ...initialized },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
    { type: 'PodScheduled', status: 'True' },
  ]
  const before = pod.status?.conditions ?? []
  return made.map((condition) => {
    const known = before.find(({ type }) => type === condition.type)
    const isSame = known?.status === condition.status && known.lastTransitionTime !== undefined
    return {
      ...condition,
      lastTransitionTime: isSame ? known.lastTransitionTime! : kubernetesTime(nowMs),
    }
  })
}
