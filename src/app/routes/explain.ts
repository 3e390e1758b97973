// `GET /knode/v1/explain?kind=&namespace=&name=`: why the Revisions of a Service have as many instances as they have.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import type { ScaleSnapshot } from '../../engine/autoscaler.ts'
import { explainScale } from '../../engine/autoscaling/explain-scale.ts'
import type { Caches } from '../../engine/reconciler.ts'
import { podAutoscalerKind } from '../../kinds/autoscaling/pod-autoscaler/schema.ts'
import { configurationKind } from '../../kinds/serving/configuration/schema.ts'
import { revisionKind } from '../../kinds/serving/revision/schema.ts'
import type { Revision } from '../../kinds/serving/revision/schema.ts'
import { servingServiceKind } from '../../kinds/serving/service/schema.ts'
import type { ServiceStatus } from '../../kinds/serving/service/schema.ts'
import { conditionOf } from '../../model/duck/conditions.ts'
import type { Condition } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { configurationGenerationLabel, configurationLabel, serviceLabel } from '../../model/serving/metadata-keys.ts'
import type { TrafficTarget } from '../../model/serving/traffic.ts'
import { badParameter, defineRoute } from './route.ts'
import type { RouteDeps } from './route.ts'

/** What `knode explain -o json` shows. */
export interface Explanation {
  /** With its group: `Service.serving.knative.dev`. */
  kind: string
  namespace: string
  name: string
  url?: string
  ready?: Pick<Condition, 'status' | 'reason' | 'message'>
  /** Newest first. Those that nothing leads to and nothing runs of are left out. */
  revisions: RevisionExplanation[]
}

export interface RevisionExplanation {
  name: string
  /** Which parts of the Service's traffic lead to it. */
  traffic: Pick<TrafficTarget, 'percent' | 'tag' | 'latestRevision'>[]
  ready?: Pick<Condition, 'status' | 'reason' | 'message'>
  sentences: string[]
  /** Absent while nothing looks after its scale. */
  scale?: ScaleSnapshot
}

/** Only Services have all of these, but others have nothing else by these names. */
interface Explained extends Resource {
  status?: ServiceStatus
}

/** Revisions of these carry their name in a label. */
const labels: Readonly<Record<string, string>> = {
  [servingServiceKind]: serviceLabel,
  [configurationKind]: configurationLabel,
}
const known = [servingServiceKind, configurationKind, revisionKind, podAutoscalerKind]

export const explainRoute = ({ caches, autoscaler }: Pick<RouteDeps, 'caches' | 'autoscaler'>): ExtraRoute =>
  defineRoute('GET', '/knode/v1/explain', (_, response, { url }) => {
    const asked = (name: string): string => url.searchParams.get(name) ?? ''
    const [kind, namespace, name] = [asked('kind'), asked('namespace') || 'default', asked('name')]
    if (!known.includes(kind)) throw badParameter('kind', `one of ${known.join(', ')}`, kind)
    const object = caches.get<Explained>(kind, namespace, name)
    if (object === undefined) {
      const [short = '', ...group] = kind.split('.')
      const plural = `${short.toLowerCase()}s`
      const message = `${plural}.${group.join('.')} "${name}" not found`
      throw new StatusError(404, 'NotFound', message, { name, group: group.join('.'), kind: plural })
    }
    const { url: address, traffic = [], latestCreatedRevisionName } = object.status ?? {}
    const explained = revisionsOf(kind, object, caches).map((revision): RevisionExplanation => {
      const scale = autoscaler.snapshot(namespace, revision.metadata.name)
      return {
        name: revision.metadata.name,
        traffic: traffic.filter(({ revisionName }) => revisionName === revision.metadata.name).map(shareOf),
        ...readiness(revision),
        sentences: scale === undefined ? ['Nothing looks after its scale.'] : explainScale(scale),
        ...(scale === undefined ? {} : { scale }),
      }
    })
    const isWhole = explained.length === 1
    const revisions = explained.filter(
      ({ name: revision, traffic: shares, scale }) =>
        isWhole ||
        shares.length > 0 ||
        revision === latestCreatedRevisionName ||
        (scale?.ready ?? 0) + (scale?.replicas ?? 0) > 0,
    )
    const explanation: Explanation = {
      kind,
      namespace,
      name,
      ...(address === undefined ? {} : { url: address }),
      ...readiness(object),
      revisions,
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(explanation))
  })

function revisionsOf(kind: string, object: Resource, caches: Caches): Resource[] {
  const label = labels[kind]
  // A Revision's PodAutoscaler has its name.
  if (label === undefined) return [object]
  const { namespace, name } = object.metadata
  return caches
    .list<Revision>(revisionKind, namespace)
    .filter(({ metadata }) => metadata.labels?.[label] === name)
    .sort((a, b) => generationOf(b) - generationOf(a))
}

const generationOf = ({ metadata }: Resource): number => Number(metadata.labels?.[configurationGenerationLabel] ?? 0)

const shareOf = ({ percent, tag, latestRevision }: TrafficTarget): RevisionExplanation['traffic'][number] => ({
  ...(percent === undefined ? {} : { percent }),
  ...(tag === undefined ? {} : { tag }),
  ...(latestRevision === undefined ? {} : { latestRevision }),
})

function readiness(object: Resource): Pick<Explanation, 'ready'> {
  const found = conditionOf(object, 'Ready')
  if (found === undefined) return {}
  const { status, reason, message } = found
  return {
    ready: { status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) },
  }
}
