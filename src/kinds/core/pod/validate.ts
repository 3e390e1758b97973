// Rules of a Pod. Source: kubernetes/kubernetes pkg/apis/core/validation ValidatePod, ValidatePodUpdate.
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at, fieldError } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { idleFieldWarnings } from '../../../model/kubernetes/pod/idle-fields.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import { podSpecErrors } from '../../../model/kubernetes/pod/validate.ts'

const frozen =
  'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

export function validatePod({ metadata, spec }: Pod, { old }: AdmissionContext<Pod>): FieldError[] {
  const { ownerReferences = [], annotations } = metadata
  // Who made what it belongs to was warned.
  const isNews = old === undefined && ownerReferences.length === 0
  const errors = at('spec', [...podSpecErrors(spec), ...(isNews ? idleFieldWarnings(spec, annotations) : [])])
  const isMoved = old !== undefined && !isDeepStrictEqual(fixedPart(spec), fixedPart(old.spec))
  return isMoved ? [...errors, fieldError(frozen, ['spec'])] : errors
}

/** The spec without what may change. */
function fixedPart(spec: PodSpec): object {
  const { activeDeadlineSeconds: _, tolerations: __, containers = [], initContainers = [], ...rest } = spec
  const imageless = (list: typeof containers): object[] => list.map(({ image: ___, ...container }) => container)
  return { ...rest, containers: imageless(containers), initContainers: imageless(initContainers) }
}
