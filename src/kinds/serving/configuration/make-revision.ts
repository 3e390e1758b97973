// The Revision that a Configuration's template makes. Source: knative/serving
// pkg/reconciler/configuration/resources/revision.go.
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerRef, kubernetesTime } from '../../../model/kubernetes/resource.ts'
import {
  configurationGenerationLabel,
  configurationLabel,
  configurationUidLabel,
  creatorAnnotation,
  lastModifierAnnotation,
  routesAnnotation,
  routingStateLabel,
  routingStateModifiedAnnotation,
  serviceLabel,
  serviceUidLabel,
} from '../../../model/serving/metadata-keys.ts'
import type { RoutingState } from '../../../model/serving/metadata-keys.ts'
import type { Revision } from '../revision/schema.ts'
import type { Configuration } from './schema.ts'

const generationDigits = 5

/** The name its user gave, or NAME-0000N, where N is the generation of the Configuration. */
export function revisionName({ metadata, spec }: Configuration): string {
  const given = spec.template?.metadata?.name ?? ''
  if (given !== '') return given
  return childName(metadata.name, `-${String(metadata.generation ?? 1).padStart(generationDigits, '0')}`)
}

export function makeRevision(configuration: Configuration, nowMs: number): Revision {
  const { name, namespace, generation, uid = '', labels = {}, annotations = {} } = configuration.metadata
  const { metadata, spec = {} } = configuration.spec.template ?? {}
  const { [routesAnnotation]: routes, [lastModifierAnnotation]: modifier } = annotations
  // What a Route leads to already needs no labeler to become active.
  const routingState: RoutingState = routes === undefined ? 'pending' : 'active'
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: revisionName(configuration),
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...metadata?.labels,
        [configurationLabel]: name,
        [configurationGenerationLabel]: String(generation ?? 1),
        [configurationUidLabel]: uid,
        ...picked(labels, serviceLabel, serviceUidLabel),
        [routingStateLabel]: routingState,
      },
      annotations: {
        ...metadata?.annotations,
        ...(modifier === undefined ? {} : { [creatorAnnotation]: modifier }),
        ...(routes === undefined ? {} : { [routesAnnotation]: routes }),
        [routingStateModifiedAnnotation]: kubernetesTime(nowMs),
      },
      ownerReferences: [controllerRef(configuration)],
    },
    spec: structuredClone(spec),
  }
}

const picked = (labels: Readonly<Record<string, string>>, ...names: string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])))
