// Which Revision a Service's template makes, and how it is run. Source: knative/serving pkg/reconciler/configuration,
// pkg/reconciler/revision/resources.
import { createHash } from 'node:crypto'
import type { ConfigReader } from '../../../engine/kind.ts'
import type { RevisionSettings } from '../../../engine/request-path/revision-backend.ts'
import { servingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { parseGoDuration } from '../../../model/kubernetes/go-duration.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import type { AnnotationKey, Annotations } from '../../../model/serving/annotation-keys.ts'
import type { Container } from '../../../model/serving/container-schema.ts'
import type { RevisionTemplate } from '../../../model/serving/revision-template.ts'
import {
  autoscalerConfigMap,
  autoscalerDefaults,
  deploymentConfigMap,
  progressDeadlineMs,
} from '../../../model/serving/serving-config.ts'
import type { ServiceStatus } from './schema.ts'

/** What the status remembers of the template, so that only a change of it makes a new Revision. */
const templateAnnotation = 'knode.dev/template'
const generationAnnotation = 'knode.dev/configuration-generation'

/**
 * The name of the Revision for the template as it is: the name its user gave, or NAME-0000N, where N counts the changes
 * of the template, as the generation of upstream's Configuration does. Notes both in `status`.
 */
export function nameRevision(service: string, template: RevisionTemplate, status: ServiceStatus): string {
  const digest = createHash('sha256').update(sortedJson(template)).digest('hex').slice(0, 16)
  const { [templateAnnotation]: lastDigest, [generationAnnotation]: lastGeneration = '0' } = status.annotations ?? {}
  const generation = Number(lastGeneration) + (digest === lastDigest ? 0 : 1)
  status.annotations = {
    ...status.annotations,
    [templateAnnotation]: digest,
    [generationAnnotation]: String(generation),
  }
  const given = template.metadata?.name ?? ''
  return given === '' ? childName(service, `-${String(generation).padStart(5, '0')}`) : given
}

/** JSON with the keys of every object in order. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** The container that takes the requests. */
export function servingContainer({ spec }: RevisionTemplate): Container {
  const containers = spec?.containers ?? []
  return containers.find(({ ports = [] }) => ports.length > 0) ?? containers[0] ?? {}
}

/** How many instances, and for how long, as annotations and Serving's ConfigMaps say. */
export function revisionSettings(template: RevisionTemplate, config: ConfigReader): RevisionSettings {
  const annotations = template.metadata?.annotations
  const autoscaler = config.data(servingSystemNamespace, autoscalerConfigMap)
  const defaults = autoscalerDefaults(autoscaler)
  const { timeoutSeconds = 300, responseStartTimeoutSeconds = 0, idleTimeoutSeconds = 0 } = template.spec ?? {}
  const staysAtOne = autoscaler['enable-scale-to-zero'] === 'false'
  const instancesMin = Math.max(count(annotations, annotationKeys.minScale) ?? defaults.minScale, staysAtOne ? 1 : 0)
  const windowMs = duration(annotations, annotationKeys.window) ?? defaults.stableWindowMs
  const deadlineMs = progressDeadlineMs(config.data(servingSystemNamespace, deploymentConfigMap))
  return {
    instancesMin,
    instancesInitial: count(annotations, annotationKeys.initialScale) ?? defaults.initialScale,
    containerConcurrency: template.spec?.containerConcurrency ?? 0,
    idleMs: windowMs + (duration(annotations, annotationKeys.scaleToZeroPodRetentionPeriod) ?? 0),
    readyMs: duration(annotations, annotationKeys.progressDeadline) ?? deadlineMs,
    timeouts: {
      totalMs: timeoutSeconds * 1_000,
      ...(responseStartTimeoutSeconds > 0 ? { responseStartMs: responseStartTimeoutSeconds * 1_000 } : {}),
      ...(idleTimeoutSeconds > 0 ? { idleMs: idleTimeoutSeconds * 1_000 } : {}),
    },
  }
}

function count(annotations: Annotations, key: AnnotationKey): number | undefined {
  const found = findAnnotation(annotations, key)
  return found === undefined ? undefined : Number(found.value)
}

function duration(annotations: Annotations, key: AnnotationKey): number | undefined {
  return parseGoDuration(findAnnotation(annotations, key)?.value ?? '')
}
