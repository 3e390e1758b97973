// `GET /api/v1/namespaces/NS/pods/POD/log`: what a container of a Pod has written, as `kubectl logs` asks for it.
// Source: kubernetes/kubernetes pkg/registry/core/pod/strategy.go LogLocation, kubernetes/api core/v1 PodLogOptions.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { workloadName } from '../../engine/pods/workload-spec.ts'
import type { ContainerStatus, Pod } from '../../model/kubernetes/pod/pod.ts'
import { podKind } from '../../model/kubernetes/pod/pod.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { LogLine, WorkloadLogs } from '../../ports/workload-runtime/port.ts'
import { openLines } from './line-answer.ts'
import { badParameter, decodedPart, integerParameter } from './route.ts'
import type { RouteDeps } from './route.ts'

const path = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log\/?$/

export const podLogsRoute = ({
  runtime,
  caches,
  clock,
}: Pick<RouteDeps, 'runtime' | 'caches' | 'clock'>): ExtraRoute => ({
  matches: (asked) => path.test(asked),
  async handle(request, response, { url, stopping }) {
    if (request.method !== 'GET') {
      throw new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
    }
    const [namespace = '', name = ''] = path.exec(url.pathname)!.slice(1).map(decodedPart)
    const pod = caches.get<Pod>(podKind, namespace, name)
    if (pod === undefined) {
      throw new StatusError(404, 'NotFound', `pods "${name}" not found`, { name, kind: 'pods' })
    }
    const options = readOptions(url, clock.now())
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const lines = linesOf(pod, url, runtime, {
      follow: options.follow,
      signal: AbortSignal.any([gone.signal, stopping]),
      ...(options.tailLines !== undefined && { tailLines: options.tailLines }),
    })
    const answer = openLines(response, stopping, 'text/plain')
    let leftBytes = options.limitBytes
    for await (const line of lines) {
      if (line.timeMs < options.sinceMs || !options.wants(line)) continue
      const text = options.timestamps ? `${nanoTime(line.timeMs)} ${line.text}` : line.text
      const bytes = Buffer.byteLength(text) + 1
      if (bytes > leftBytes) {
        // The cut is exact, and may be inside a line.
        response.write(Buffer.from(`${text}\n`).subarray(0, leftBytes))
        break
      }
      leftBytes -= bytes
      await answer.send(text)
    }
    gone.abort()
    answer.close()
  },
})

interface LogRequest {
  follow: boolean
  tailLines: number | undefined
  sinceMs: number
  limitBytes: number
  timestamps: boolean
  wants: (line: LogLine) => boolean
}

function readOptions(url: URL, nowMs: number): LogRequest {
  const { searchParams } = url
  const isTrue = (name: string): boolean => ['true', '1'].includes(searchParams.get(name) ?? '')
  const sinceSeconds = integerParameter(url, 'sinceSeconds', 1)
  const sinceTime = searchParams.get('sinceTime')
  const sinceTimeMs = sinceTime === null ? -Infinity : Date.parse(sinceTime)
  if (Number.isNaN(sinceTimeMs)) throw badParameter('sinceTime', 'a time like 2026-01-31T12:00:00Z', sinceTime ?? '')
  const stream = (searchParams.get('stream') ?? 'All').toLowerCase()
  return {
    follow: isTrue('follow'),
    // Lines come in order of time, so that it does not matter which of the two is counted first.
    tailLines: integerParameter(url, 'tailLines', 0),
    sinceMs: sinceSeconds === undefined ? sinceTimeMs : nowMs - sinceSeconds * 1_000,
    limitBytes: integerParameter(url, 'limitBytes', 1) ?? Infinity,
    timestamps: isTrue('timestamps'),
    wants: (line) => stream === 'all' || line.stream === stream,
  }
}

/** @throws {StatusError} 400 when there is no such container, or it has written nothing yet */
function linesOf(
  pod: Pod,
  { searchParams }: URL,
  runtime: WorkloadLogs,
  options: Parameters<WorkloadLogs['logs']>[2],
): AsyncIterable<LogLine> {
  const { name, namespace = '' } = pod.metadata
  const container = chooseContainer(pod, searchParams.get('container') ?? '')
  const status = statusOf(pod, container)
  const isPrevious = ['true', '1'].includes(searchParams.get('previous') ?? '')
  const restart = (status?.restartCount ?? 0) - (isPrevious ? 1 : 0)
  const lines = restart < 0 ? undefined : runtime.logs(namespace, workloadName(name, container, restart), options)
  if (lines !== undefined) return lines
  const label = `container "${container}" in pod "${name}"`
  if (isPrevious) throw badRequest(`previous terminated ${label} not found`)
  const reason = status?.state.waiting?.reason
  throw badRequest(
    reason === undefined ? `${label} has not been started yet` : `${label} is waiting to start: ${reason}`,
  )
}

function chooseContainer({ metadata, spec }: Pod, asked: string): string {
  const names = (spec.containers ?? []).map(({ name = '' }) => name)
  const initNames = (spec.initContainers ?? []).map(({ name = '' }) => name)
  if ([...names, ...initNames].includes(asked)) return asked
  if (asked !== '') throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`)
  const [only = '', ...more] = names
  if (more.length === 0) return only
  const init = initNames.length === 0 ? '' : ` or one of the init containers: [${initNames.join(' ')}]`
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]${init}`,
  )
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  return all.find(({ name }) => name === container)
}

const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

/** RFC 3339 with nine digits, as the kubelet writes it. */
const nanoTime = (timeMs: number): string => new Date(timeMs).toISOString().replace('Z', '000000Z')
