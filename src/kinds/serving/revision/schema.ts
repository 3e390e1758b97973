// Revision serving.knative.dev/v1. Source: knative/serving pkg/apis/serving/v1/revision_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { integer, list, object, statusOf, string } from '../../../model/kubernetes/schema.ts'
import type { Infer } from '../../../model/kubernetes/schema.ts'
import { revisionSpecSchema } from '../../../model/serving/revision-template.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'

export const revisionKind = 'Revision.serving.knative.dev'

const containerStatus = object('Which image a container runs.', {
  name: string('Name of the container.'),
  imageDigest: string('The image by digest; empty where its registry is not asked.'),
})

export type ContainerStatus = Infer<typeof containerStatus>

export interface RevisionStatus extends KResourceStatus {
  logUrl?: string
  containerStatuses?: ContainerStatus[]
  initContainerStatuses?: ContainerStatus[]
  actualReplicas?: number
  desiredReplicas?: number
}

export interface Revision extends Resource {
  spec: RevisionSpec
  status?: RevisionStatus
}

export const revisionSchema = {
  spec: revisionSpecSchema,
  status: statusOf({
    logUrl: string('Where logs of the Revision are shown.'),
    containerStatuses: list('The images of the containers.', containerStatus),
    initContainerStatuses: list('The images of the init containers.', containerStatus),
    actualReplicas: integer('Instances that are ready.', { format: 'int32' }),
    desiredReplicas: integer('Instances that the autoscaler wants.', { format: 'int32' }),
  }),
}
