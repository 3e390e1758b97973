// What the doors of Revisions tell in numbers, by upstream's names. Source: knative/serving pkg/queue/request_metric.go,
// pkg/activator/handler/metrics.go.
import type { BoundHistogram, Histogram, Labels, Metrics } from '../../base/metrics.ts'
import type { RevisionDoorSpec } from '../serving.ts'

/** What a door has at this moment. */
export interface DoorLoad {
  readonly spec: RevisionDoorSpec
  /** Requests waiting or being worked on. */
  readonly inFlight: number
  /** Those of them that wait. */
  readonly waitingCount: number
}

/** Reads the doors when somebody asks; a door that nobody uses tells nothing. */
export function exportDoors(metrics: Metrics, doors: () => Iterable<DoorLoad>): void {
  const gauge = (name: string, description: string, read: (door: DoorLoad) => number): void =>
    metrics.gauge(name, description, function* () {
      for (const door of doors()) if (door.inFlight > 0) yield [labelsOf(door.spec), read(door)]
    })
  gauge('kn.serving.queue.depth', 'Requests that wait or are being worked on', ({ inFlight }) => inFlight)
  gauge('kn.revision.request.queued', 'Requests that wait for an instance', ({ waitingCount }) => waitingCount)
  gauge(
    'kn.revision.request.active',
    'Requests that are being worked on',
    ({ inFlight, waitingCount }) => inFlight - waitingCount,
  )
}

/** Of one door. */
export class Invocations {
  #histogram: Histogram
  #labels: Labels
  #byStatus = new Map<number, BoundHistogram>()

  constructor(metrics: Metrics, spec: RevisionDoorSpec) {
    this.#histogram = metrics.histogram(
      'kn.serving.invocation.duration',
      'Time from the arrival of a request to the end of its answer, by Revision',
      'seconds',
    )
    this.#labels = labelsOf(spec)
  }

  record(status: number, tookMs: number): void {
    let bound = this.#byStatus.get(status)
    if (bound === undefined) {
      bound = this.#histogram.bind({ ...this.#labels, 'http.response.status_code': status })
      this.#byStatus.set(status, bound)
    }
    bound.record(tookMs / 1_000)
  }
}

const labelsOf = ({ namespace, name }: RevisionDoorSpec): Labels => ({
  'k8s.namespace.name': namespace,
  'kn.revision.name': name,
})
