// What a DomainMapping gets that it did not ask for. Source: knative/serving
// pkg/apis/serving/v1beta1/domainmapping_defaults.go.
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import type { DomainMapping } from './schema.ts'

export function setDomainMappingDefaults({ metadata, spec }: DomainMapping): void {
  setReferenceNamespace(spec, metadata.namespace)
}
