// Rules of a ServerlessService. Source: knative/networking pkg/apis/networking/v1alpha1/serverlessservice_validation.go.
import { at, invalidKeyName, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { networkAnnotations } from '../../../model/serving/network-keys.ts'
import { validateProtocol, validateScaleTarget } from '../../../model/serving/scale-target.ts'
import type { ServerlessService } from './schema.ts'

const known: ReadonlySet<string> = new Set(Object.values(networkAnnotations).flat())

export function validateServerlessService({ metadata, spec }: ServerlessService): FieldError[] {
  const foreign = Object.keys(metadata.annotations ?? {}).filter(
    (name) => name.startsWith('networking.knative.dev') && !known.has(name),
  )
  const annotations = foreign.map((name) => invalidKeyName(name, 'annotations'))
  if (spec === undefined || Object.keys(spec).length === 0) return [...annotations, missingField('spec')]
  const { mode = '', numActivators = 0, objectRef, protocolType } = spec
  const isMode = mode === 'Proxy' || mode === 'Serve'
  return [
    ...annotations,
    ...at('spec', [
      ...(isMode ? [] : [mode === '' ? missingField('mode') : invalidValue(mode, 'mode')]),
      ...(numActivators < 0 ? [invalidValue(numActivators, 'numActivators')] : []),
      ...validateScaleTarget(objectRef, 'objectRef'),
      ...validateProtocol(protocolType, 'protocolType'),
    ]),
  ]
}
