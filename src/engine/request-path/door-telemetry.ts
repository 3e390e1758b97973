// What the doors of Revisions tell in numbers, by upstream's names. Source: knative/serving pkg/queue/request_metric.go,
// pkg/activator/handler/metrics.go.
import type { BoundHistogram, Histogram, Labels, Metrics } from '../../base/metrics.ts'
import { activatorScope, queueScope } from '../instrument-scopes.ts'
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
  const gauge = (scope: string, name: string, description: string, read: (door: DoorLoad) => number): void =>
    metrics.scope(scope).gauge(name, description, function* () {
      for (const door of doors()) if (door.inFlight > 0) yield [labelsOf(door.spec), read(door)]
    })
  gauge(queueScope, 'kn.serving.queue.depth', 'Requests that wait or are being worked on', ({ inFlight }) => inFlight)
  gauge(
    activatorScope,
    'kn.revision.request.queued',
    'Requests that wait for an instance',
    ({ waitingCount }) => waitingCount,
  )
  gauge(
    activatorScope,
    'kn.revision.request.active',
    'Requests that are being worked on',
    ({ inFlight, waitingCount }) => inFlight - waitingCount,
  )
}

/** Methods that are told by name; who knows what clients make up. Source: OpenTelemetry semantic conventions for HTTP. */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])

/** Durations of requests that were answered with one status. */
interface Answered {
  invocation: BoundHistogram
  byMethod: Map<string, BoundHistogram>
}

/** Of one door. */
export class Invocations {
  #invocations: Histogram
  #requests: Histogram
  #labels: Labels
  #byStatus = new Map<number, Answered>()

  constructor(metrics: Metrics, spec: RevisionDoorSpec) {
    const meter = metrics.scope(queueScope)
    this.#invocations = meter.histogram(
      'kn.serving.invocation.duration',
      'Time from the arrival of a request to the end of its answer, by Revision',
      'seconds',
    )
    this.#requests = meter.histogram(
      'http.server.request.duration',
      'Time from the arrival of a request to the end of its answer, by Revision and method',
      'seconds',
    )
    const { service, configuration } = spec
    this.#labels = {
      ...labelsOf(spec),
      ...(service !== undefined && { 'kn.service.name': service }),
      ...(configuration !== undefined && { 'kn.configuration.name': configuration }),
    }
  }

  record(method: string, status: number, tookMs: number): void {
    const answered = this.#answered(status)
    const known = methods.has(method) ? method : '_OTHER'
    let bound = answered.byMethod.get(known)
    if (bound === undefined) {
      bound = this.#requests.bind({ ...this.#withStatus(status), 'http.request.method': known })
      answered.byMethod.set(known, bound)
    }
    answered.invocation.record(tookMs / 1_000)
    bound.record(tookMs / 1_000)
  }

  #answered(status: number): Answered {
    let answered = this.#byStatus.get(status)
    if (answered === undefined) {
      answered = { invocation: this.#invocations.bind(this.#withStatus(status)), byMethod: new Map() }
      this.#byStatus.set(status, answered)
    }
    return answered
  }

  #withStatus(status: number): Labels {
    return { ...this.#labels, 'http.response.status_code': status }
  }
}

const labelsOf = ({ namespace, name }: RevisionDoorSpec): Labels => ({
  'k8s.namespace.name': namespace,
  'kn.revision.name': name,
})
