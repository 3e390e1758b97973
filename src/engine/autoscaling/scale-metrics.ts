// What the autoscaler tells in numbers, by upstream's names. Source: knative/serving pkg/autoscaler/scaling/metrics.go,
// pkg/reconciler/autoscaling/kpa/metrics.go.
import type { Labels, Metrics } from '../../base/metrics.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { DecisionFacts, ScaleSnapshot, ScalerRules } from '../autoscaler.ts'
import { autoscalerScope } from '../instrument-scopes.ts'
import type { Caches } from '../reconciler.ts'

export interface Measured {
  readonly rules: ScalerRules
  snapshot(): ScaleSnapshot
}

interface Pod extends Resource {
  status?: { phase?: string; conditions?: { type: string; status: string }[] }
}

type PodState = 'ready' | 'notReady' | 'pending' | 'terminating'

const revisionLabel = 'serving.knative.dev/revision'

/** Everything is read when somebody asks: a Revision costs nothing in between. */
export function exportScales(metrics: Metrics, scalers: () => Iterable<Measured>, caches: Caches): void {
  const meter = metrics.scope(autoscalerScope)
  const gauge = (name: string, description: string, read: (snapshot: ScaleSnapshot) => number | undefined): void =>
    meter.gauge(name, description, function* () {
      for (const scaler of scalers()) {
        const snapshot = scaler.snapshot()
        const value = read(snapshot)
        if (value !== undefined) yield [labelsOf(scaler, snapshot), value]
      }
    })
  const decided = (name: string, description: string, read: (facts: DecisionFacts, of: ScaleSnapshot) => number) =>
    gauge(name, description, (snapshot) => snapshot.decision && read(snapshot.decision, snapshot))
  const byMetric = (metric: string, unit: string): void => {
    const only = (name: string, description: string, read: (facts: DecisionFacts, of: ScaleSnapshot) => number) =>
      gauge(`kn.revision.${metric}.${name}`, description, (snapshot) =>
        snapshot.settings.metric === metric ? snapshot.decision && read(snapshot.decision, snapshot) : undefined,
      )
    only('stable', `Average ${unit} over the stable window`, ({ stable }) => stable)
    only('panic', `Average ${unit} over the panic window`, ({ panic }) => panic)
    only('target', `What one instance is meant for, in ${unit}`, (_, { settings }) => settings.target)
  }
  decided('kn.revision.pods.desired', 'Instances the load asks for', ({ desired }) => desired)
  decided('kn.revision.capacity.excess', 'Excess burst capacity', ({ excessBurstCapacity }) => excessBurstCapacity)
  decided('kn.revision.panic.mode', '1 in panic mode', ({ panicLeftMs }) => (panicLeftMs === undefined ? 0 : 1))
  byMetric('concurrency', 'requests at once')
  byMetric('rps', 'requests a second')
  gauge('kn.revision.pods.requested', 'Instances asked for', ({ replicas }) => replicas)
  const counted = (name: string, description: string, state: PodState): void =>
    meter.gauge(name, description, function* () {
      const counts = podCounts(caches, state)
      for (const scaler of scalers()) {
        const snapshot = scaler.snapshot()
        yield [labelsOf(scaler, snapshot), counts.get(`${snapshot.namespace}/${snapshot.name}`) ?? 0]
      }
    })
  gauge('kn.revision.pods.count', 'Instances that are ready', ({ ready }) => ready)
  counted('kn.revision.pods.not_ready.count', 'Instances that run and are not ready', 'notReady')
  counted('kn.revision.pods.pending.count', 'Instances that do not run yet', 'pending')
  counted('kn.revision.pods.terminating.count', 'Instances on their way out', 'terminating')
}

const labelsOf = ({ rules }: Measured, { namespace, name }: ScaleSnapshot): Labels => ({
  'k8s.namespace.name': namespace,
  'kn.service.name': rules.service,
  'kn.configuration.name': rules.configuration,
  'kn.revision.name': name,
})

function podCounts(caches: Caches, state: PodState): Map<string, number> {
  const counts = new Map<string, number>()
  for (const pod of caches.list<Pod>('Pod')) {
    const revision = pod.metadata.labels?.[revisionLabel]
    if (revision === undefined || stateOf(pod) !== state) continue
    const key = `${pod.metadata.namespace}/${revision}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function stateOf({ metadata, status }: Pod): PodState {
  if (metadata.deletionTimestamp !== undefined) return 'terminating'
  if ((status?.phase ?? 'Pending') === 'Pending') return 'pending'
  const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  return isReady === true ? 'ready' : 'notReady'
}
