// `GET /knode/v1/logs/NAMESPACE/NAME?follow=true&tailLines=N`: what a workload wrote, as text. The name is that of a
// Knative Service, a Deployment or a Pod.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { logGroup, servingContainer, workloadName } from '../../engine/pods/workload-spec.ts'
import type { Caches } from '../../engine/reconciler.ts'
import { deploymentKind } from '../../kinds/apps/deployment/schema.ts'
import { servingServiceKind } from '../../kinds/serving/service/schema.ts'
import { podKind } from '../../model/kubernetes/pod/pod.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import { controllerOf } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { openLines } from './line-answer.ts'
import { decodedPart, defineRoute, integerParameter } from './route.ts'
import type { RouteDeps } from './route.ts'

const path = '/knode/v1/logs/'

export const logsRoute = ({ runtime, caches }: Pick<RouteDeps, 'runtime' | 'caches'>): ExtraRoute =>
  defineRoute('GET', path, async (_, response, { url, stopping }) => {
    const [namespace = '', name = '', ...more] = url.pathname.slice(path.length).split('/').map(decodedPart)
    const tailLines = integerParameter(url, 'tailLines', 0)
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const options = {
      follow: url.searchParams.get('follow') === 'true',
      signal: AbortSignal.any([gone.signal, stopping]),
      ...(tailLines !== undefined && { tailLines }),
    }
    const find = (known: string | undefined, awaitStart = false) =>
      known === undefined ? undefined : runtime.logs(namespace, known, { ...options, awaitStart })
    // Who follows a workload that exists need not come after its first instance.
    const lines =
      find(name) ??
      find(nameOfLogs(caches, namespace, name)) ??
      (options.follow && owners.some((kind) => caches.get(kind, namespace, name) !== undefined)
        ? find(name, true)
        : undefined)
    if (lines === undefined || more.length > 0) {
      throw new StatusError(404, 'NotFound', `no workload "${name}" has written anything in namespace "${namespace}"`)
    }
    const answer = openLines(response, stopping, 'text/plain; charset=utf-8')
    for await (const { text } of lines) await answer.send(text)
    answer.close()
  })

/** Kinds whose instances have their logs under its name. */
const owners = [servingServiceKind, deploymentKind]

/** The name that logs of a Pod, or of a Deployment's Pods, are kept under. */
function nameOfLogs(caches: Caches, namespace: string, name: string): string | undefined {
  const pod = caches.get<Pod>(podKind, namespace, name)
  if (pod === undefined) {
    const ofDeployment = caches.list<Pod>(podKind, namespace).find((other) => controllerOf(other)?.name === name)
    return ofDeployment === undefined ? undefined : logGroup(ofDeployment)
  }
  const container = servingContainer(pod.spec).name ?? ''
  const status = pod.status?.containerStatuses?.find((other) => other.name === container)
  return workloadName(name, container, status?.restartCount ?? 0)
}
