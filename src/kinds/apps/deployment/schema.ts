// Deployment apps/v1. Source: kubernetes/api apps/v1/types.go.
import { podTemplateSchema } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import type { PodTemplate } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, integer, intOrString, list, map, object, string } from '../../../model/kubernetes/schema.ts'

export const deploymentKind = 'Deployment.apps'

/** Label of a Deployment's Pods that tells which template made them. */
export const templateHashLabel = 'pod-template-hash'

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key?: string; operator?: string; values?: string[] }[]
}

export interface DeploymentStrategy {
  type?: 'RollingUpdate' | 'Recreate'
  rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string }
}

export interface DeploymentSpec {
  replicas?: number
  selector?: LabelSelector
  template?: PodTemplate
  strategy?: DeploymentStrategy
  minReadySeconds?: number
  revisionHistoryLimit?: number
  progressDeadlineSeconds?: number
  paused?: boolean
}

export interface DeploymentCondition {
  type: 'Available' | 'Progressing' | 'ReplicaFailure'
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

export interface DeploymentStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  terminatingReplicas?: number
  collisionCount?: number
  conditions?: DeploymentCondition[]
}

export interface Deployment extends Resource {
  spec: DeploymentSpec
  status?: DeploymentStatus
}

const int32 = { format: 'int32' } as const
const count = (description: string) => integer(description, int32)
const time = (description: string) => string(description, { format: 'date-time' })

export const deploymentSchema = {
  spec: object('What the Deployment should be.', {
    replicas: count('How many Pods.'),
    selector: object('Which Pods are its own. Cannot change.', {
      matchLabels: map('Labels they all have.', string('A value.')),
      matchExpressions: list(
        'Further rules.',
        object('One rule.', {
          key: string('The label.'),
          operator: string('In, NotIn, Exists or DoesNotExist.'),
          values: list('Values of In and NotIn.', string('A value.')),
        }),
      ),
    }),
    template: podTemplateSchema,
    strategy: object('How Pods of an old template are replaced.', {
      type: string('RollingUpdate or Recreate.', { enum: ['Recreate', 'RollingUpdate'] }),
      rollingUpdate: object('Bounds of a rolling update.', {
        maxSurge: intOrString('Pods above the wanted number, or percent of it.'),
        maxUnavailable: intOrString('Pods below the wanted number, or percent of it.'),
      }),
    }),
    minReadySeconds: count('How long a Pod must be ready to count as available.'),
    revisionHistoryLimit: count('Old templates that are kept. Knode keeps none.'),
    progressDeadlineSeconds: count('Time after which a rollout without progress has failed.'),
    paused: boolean('Whether a new template waits.'),
  }),
  status: object('What was seen last.', {
    observedGeneration: integer('The generation that was last reconciled.', { format: 'int64' }),
    replicas: count('Pods there are.'),
    updatedReplicas: count('Pods of the newest template.'),
    readyReplicas: count('Pods that are ready.'),
    availableReplicas: count('Pods that have been ready for minReadySeconds.'),
    unavailableReplicas: count('Pods that are missing or not available.'),
    terminatingReplicas: count('Pods that are on their way out.'),
    collisionCount: count('Not used.'),
    conditions: list(
      'The latest observations.',
      object('One observation.', {
        type: string('Name of the condition.'),
        status: string('True, False or Unknown.'),
        lastUpdateTime: time('When it was last looked at.'),
        lastTransitionTime: time('When it last changed.'),
        reason: string('One word that tells why.'),
        message: string('Details for people.'),
      }),
    ),
  }),
}
