// Pod v1: its types, and the schema of its status. Source: kubernetes/api core/v1/types.go PodStatus.
import type { Resource } from '../resource.ts'
import { anyObject, boolean, integer, list, object, string } from '../schema.ts'
import type { PodSpec } from './pod-spec-schema.ts'

export const podKind = 'Pod'

/** The one machine there is. */
export const nodeName = 'knode'

/** Annotations of ours on a Pod, see docs/workloads: how its containers run without their image. */
export const podAnnotations = {
  /** Shell command line of the container that takes requests. `knode.dev/command.NAME` is that of another container. */
  command: 'knode.dev/command',
  workdir: 'knode.dev/workdir',
  /** Module whose handler the container that takes requests runs. */
  functionFile: 'knode.dev/function',
} as const

/** The names of all of them. */
export const ownPodAnnotations: readonly string[] = [...Object.values(podAnnotations), `${podAnnotations.command}.*`]

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'

export interface PodCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastProbeTime?: string | null
  lastTransitionTime?: string | null
  reason?: string
  message?: string
}

/** At most one of the three is set. */
export interface ContainerState {
  waiting?: { reason?: string; message?: string }
  running?: { startedAt?: string }
  terminated?: {
    exitCode: number
    signal?: number
    reason?: string
    message?: string
    startedAt?: string
    finishedAt?: string
    containerID?: string
  }
}

export interface ContainerStatus {
  name: string
  state: ContainerState
  lastState: ContainerState
  ready: boolean
  restartCount: number
  image: string
  imageID: string
  containerID?: string
  started?: boolean
}

export interface PodStatus {
  phase?: PodPhase
  conditions?: PodCondition[]
  reason?: string
  message?: string
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  qosClass?: 'Guaranteed' | 'Burstable' | 'BestEffort'
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
}

export interface Pod extends Resource {
  spec: PodSpec
  status?: PodStatus
}

const time = (description: string) => string(description, { format: 'date-time', nullable: true })

const containerState = (description: string) =>
  object(description, {
    waiting: object('It does not run yet.', { reason: string('Why, in one word.'), message: string('Why.') }),
    running: object('It runs.', { startedAt: time('Since when.') }),
    terminated: object('It has ended.', {
      exitCode: integer('Its exit code.', { format: 'int32' }),
      signal: integer('Number of the signal that ended it.', { format: 'int32' }),
      reason: string('Why, in one word.'),
      message: string('Its last words.'),
      startedAt: time('When it was started.'),
      finishedAt: time('When it ended.'),
      containerID: string('Its id.'),
    }),
  })

const containerStatus = object('State of one container.', {
  name: string('Name of the container.'),
  state: containerState('What it does now.'),
  lastState: containerState('What it did before it was started again.'),
  ready: boolean('Whether it passes its readiness probe.'),
  started: boolean('Whether it has passed its startup probe.', { nullable: true }),
  restartCount: integer('How often it was started again.', { format: 'int32' }),
  image: string('Its image.'),
  imageID: string('Digest of its image.'),
  containerID: string('Its id.'),
  volumeMounts: list('Its mounts.', anyObject('A mount.')),
  user: anyObject('Who it runs as.'),
  resources: anyObject('Resources it has.'),
  allocatedResources: anyObject('Resources it was promised.'),
  allocatedResourcesStatus: list('State of those.', anyObject('A state.')),
  stopSignal: string('Signal that asks it to end.'),
})

const addresses = (description: string) => list(description, object('One address.', { ip: string('The address.') }))

export const podStatusSchema = object('What was seen last.', {
  phase: string('Pending, Running, Succeeded, Failed or Unknown.'),
  conditions: list(
    'The latest observations.',
    object('One observation.', {
      type: string('Name of the condition.'),
      status: string('True, False or Unknown.'),
      observedGeneration: integer('The generation that was seen.', { format: 'int64' }),
      lastProbeTime: time('When it was looked at last.'),
      lastTransitionTime: time('When it last changed.'),
      reason: string('One word that tells why.'),
      message: string('Details for people.'),
    }),
  ),
  observedGeneration: integer('The generation that was seen.', { format: 'int64' }),
  reason: string('Why it is in this phase, in one word.'),
  message: string('Why it is in this phase.'),
  nominatedNodeName: string('Where it may run.'),
  hostIP: string('Address of the machine.'),
  hostIPs: addresses('Addresses of the machine.'),
  podIP: string('Address of the Pod.'),
  podIPs: addresses('Addresses of the Pod.'),
  startTime: time('When it was taken up.'),
  initContainerStatuses: list('State of its init containers.', containerStatus),
  containerStatuses: list('State of its containers.', containerStatus),
  ephemeralContainerStatuses: list('State of its debugging containers.', containerStatus),
  qosClass: string('Guaranteed, Burstable or BestEffort.'),
  resize: string('State of a change of its resources.'),
  resourceClaimStatuses: list('State of its claims.', anyObject('A state.')),
})
