// Configuration serving.knative.dev/v1. Source: knative/serving pkg/apis/serving/v1/configuration_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { object, statusOf, string } from '../../../model/kubernetes/schema.ts'
import { revisionTemplateSchema } from '../../../model/serving/revision-template.ts'
import type { RevisionTemplate } from '../../../model/serving/revision-template.ts'

export const configurationKind = 'Configuration.serving.knative.dev'

export interface ConfigurationSpec {
  template?: RevisionTemplate
}

export interface ConfigurationStatus extends KResourceStatus {
  latestCreatedRevisionName?: string
  latestReadyRevisionName?: string
}

export interface Configuration extends Resource {
  spec: ConfigurationSpec
  status?: ConfigurationStatus
}

export const configurationSchema = {
  spec: object('What the next Revision should be.', { template: revisionTemplateSchema }),
  status: statusOf({
    latestCreatedRevisionName: string('The Revision made of the template as it is.'),
    latestReadyRevisionName: string('The newest Revision that became ready.'),
  }),
}
