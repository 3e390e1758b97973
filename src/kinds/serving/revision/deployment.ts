// The Deployment of a Revision. Source: knative/serving pkg/reconciler/revision/resources/deploy.go, cruds.go.
import { createHash } from 'node:crypto'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { parseGoDuration } from '../../../model/kubernetes/go-duration.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import { readAutoscalerConfig } from '../../../model/serving/autoscaler-config.ts'
import { deploymentHashLabel, revisionUidLabel } from '../../../model/serving/metadata-keys.ts'
import { progressDeadlineMs } from '../../../model/serving/serving-config.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { childLabels, workloadAnnotations } from './child-metadata.ts'
import { makePodTemplate } from './pod-template.ts'
import type { Revision } from './schema.ts'

/** The ConfigMaps that a Deployment depends on. */
export interface DeploymentConfig {
  autoscaler: ConfigData
  deployment: ConfigData
  features: ConfigData
}

export const deploymentName = ({ metadata }: Revision): string => childName(metadata.name, '-deployment')

/** As it is created: its replicas are the initial scale. */
export function makeDeployment(revision: Revision, config: DeploymentConfig): Deployment {
  const { namespace, uid = '', annotations } = revision.metadata
  const initialScale = findAnnotation(annotations, annotationKeys.initialScale)?.value
  const deadline = findAnnotation(annotations, annotationKeys.progressDeadline)?.value ?? ''
  const deadlineMs = parseGoDuration(deadline) ?? progressDeadlineMs(config.deployment)
  const spec: Deployment['spec'] = {
    replicas: Number(initialScale ?? readAutoscalerConfig(config.autoscaler).initialScale),
    selector: { matchLabels: { [revisionUidLabel]: uid } },
    progressDeadlineSeconds: Math.floor(deadlineMs / 1_000),
    revisionHistoryLimit: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
    template: makePodTemplate(revision, config.features),
  }
  const labels = childLabels(revision)
  const ownAnnotations = workloadAnnotations(revision)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: deploymentName(revision),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [deploymentHashLabel]: hashOf([{ ...spec, replicas: undefined }, labels, ownAnnotations]) },
      annotations: ownAnnotations,
      ownerReferences: [controllerRef(revision)],
    },
    spec,
  }
}

/**
 * The stored Deployment with what `wanted` changes; `undefined` when that is nothing. Its replicas belong to the
 * autoscaler, its selector cannot change, and labels and annotations of others stay, e.g. those of `rollout restart`.
 */
export function updatedDeployment(stored: Deployment, wanted: Deployment): Deployment | undefined {
  if (stored.metadata.labels?.[deploymentHashLabel] === wanted.metadata.labels?.[deploymentHashLabel]) return undefined
  const { replicas, selector, template } = stored.spec
  return {
    ...stored,
    metadata: { ...stored.metadata, ...mergedMetadata(wanted.metadata, stored.metadata) },
    spec: {
      ...wanted.spec,
      ...(replicas === undefined ? {} : { replicas }),
      ...(selector === undefined ? {} : { selector }),
      template: {
        ...wanted.spec.template,
        metadata: { ...template?.metadata, ...mergedMetadata(wanted.spec.template?.metadata, template?.metadata) },
      },
    },
  }
}

type Described = Pick<Resource['metadata'], 'labels' | 'annotations'>

const mergedMetadata = (wanted: Described = {}, stored: Described = {}): Required<Described> => ({
  labels: { ...foreign(stored.labels), ...wanted.labels },
  annotations: { ...foreign(stored.annotations), ...wanted.annotations },
})

/** Knative's own keys are the Revision's; so are Knode's. */
const foreign = (texts: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).filter(([key]) => key !== 'app' && !/\b(?:knative|knode)\.dev\//.test(key)))

const hashOf = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts, sortedKeys)).digest('hex').slice(0, 10)

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
