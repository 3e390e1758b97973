// Labels and annotations that a Revision hands down. Source: knative/serving pkg/reconciler/revision/resources/meta.go.
import { autoscalingGroup } from '../../../model/serving/annotation-keys.ts'
import {
  lastPinnedAnnotation,
  noGcAnnotation,
  revisionLabel,
  revisionUidLabel,
  routeLabel,
  routesAnnotation,
  routingStateLabel,
  routingStateModifiedAnnotation,
} from '../../../model/serving/metadata-keys.ts'
import type { Revision } from './schema.ts'

type Texts = Record<string, string>

/** What changes while the Revision lives, and must not make new Pods. */
const ownLabels = [routeLabel, routingStateLabel]
const ownAnnotations = [lastPinnedAnnotation, noGcAnnotation, routingStateModifiedAnnotation, routesAnnotation]

export function childLabels({ metadata: { name, uid = '', labels } }: Revision): Texts {
  const { app = name, ...rest } = filtered(labels, (key) => !ownLabels.includes(key))
  return { ...rest, app, [revisionLabel]: name, [revisionUidLabel]: uid }
}

/** Those of the PodAutoscaler: with what steers it. */
export const scalerAnnotations = ({ metadata }: Revision): Texts =>
  filtered(metadata.annotations, (key) => !ownAnnotations.includes(key))

/** Those of Deployment and Pods. */
export const workloadAnnotations = (revision: Revision): Texts =>
  filtered(scalerAnnotations(revision), (key) => !key.startsWith(autoscalingGroup))

const filtered = (texts: Texts = {}, keeps: (key: string) => boolean): Texts =>
  Object.fromEntries(Object.entries(texts).filter(([key]) => keeps(key)))
