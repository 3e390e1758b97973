// Pod v1, as the API serves it; its types are in model/kubernetes/pod.
import { podSpecSchema } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import { podStatusSchema } from '../../../model/kubernetes/pod/pod.ts'

/** The finalizer that keeps a Pod until its requests are finished; whoever makes Pods may add it to save a write. */
export const podFinalizer = 'pods.knode.dev'

export const podSchema = { spec: podSpecSchema, status: podStatusSchema }
