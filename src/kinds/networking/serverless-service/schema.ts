// ServerlessService networking.internal.knative.dev/v1alpha1. Source: knative/networking
// pkg/apis/networking/v1alpha1/serverlessservice_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { integer, object, statusOf, string } from '../../../model/kubernetes/schema.ts'

export const serverlessServiceKind = 'ServerlessService.networking.internal.knative.dev'
export const serverlessServiceApiVersion = 'networking.internal.knative.dev/v1alpha1'

/** On core Services that a ServerlessService made: its name. */
export const serverlessServiceLabel = 'networking.internal.knative.dev/serverlessservice'
/** On the same: `Public` or `Private`. */
export const serviceTypeLabel = 'networking.internal.knative.dev/serviceType'

/** Whether requests pass the activator (`Proxy`) or go to the instances (`Serve`). */
export type ServerlessServiceMode = 'Proxy' | 'Serve'

interface ObjectRef {
  apiVersion?: string
  kind?: string
  name?: string
  namespace?: string
}

export interface ServerlessServiceSpec {
  mode?: ServerlessServiceMode
  objectRef: ObjectRef
  protocolType: 'http1' | 'h2c'
  /** Activators that the Revision is assigned; 0 or absent is all. */
  numActivators?: number
}

export interface ServerlessServiceStatus extends KResourceStatus {
  serviceName?: string
  privateServiceName?: string
}

/** Named after its Revision. */
export interface ServerlessService extends Resource {
  spec: ServerlessServiceSpec
  status?: ServerlessServiceStatus
}

const objectRef = object('What has the instances: a Deployment.', {
  apiVersion: string('Its API version.'),
  kind: string('Its kind.'),
  name: string('Its name.'),
  namespace: string('Its namespace.'),
  fieldPath: string('A part of it.'),
  resourceVersion: string('A version of it.'),
  uid: string('Its uid.'),
})

export const serverlessServiceSchema = {
  spec: object(
    'How requests reach the instances.',
    {
      mode: string('Proxy: through the activator. Serve: directly.'),
      numActivators: integer('Activators that are assigned; 0 is all.', { format: 'int32' }),
      objectRef,
      protocolType: string('What the program speaks: http1 or h2c.'),
    },
    { required: ['objectRef', 'protocolType'] },
  ),
  status: statusOf({
    serviceName: string('The core Service in front of activator or instances.'),
    privateServiceName: string('The core Service in front of the instances alone.'),
  }),
}
