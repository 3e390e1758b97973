// `GET /knode/v1/logs/NAMESPACE/NAME?follow=true&tailLines=N`: what a workload wrote, as text.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { openLines } from './line-answer.ts'
import { badParameter, defineRoute, integerParameter } from './route.ts'
import type { RouteDeps } from './route.ts'

const path = '/knode/v1/logs/'

export const logsRoute = ({ runtime }: Pick<RouteDeps, 'runtime'>): ExtraRoute =>
  defineRoute('GET', path, async (_, response, { url, stopping }) => {
    const [namespace = '', name = '', ...more] = url.pathname.slice(path.length).split('/').map(decoded)
    const tailLines = integerParameter(url, 'tailLines', 0)
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const lines = runtime.logs(namespace, name, {
      follow: url.searchParams.get('follow') === 'true',
      signal: AbortSignal.any([gone.signal, stopping]),
      ...(tailLines !== undefined && { tailLines }),
    })
    if (lines === undefined || more.length > 0) {
      throw new StatusError(404, 'NotFound', `no workload "${name}" has written anything in namespace "${namespace}"`)
    }
    const answer = openLines(response, stopping, 'text/plain; charset=utf-8')
    for await (const { text } of lines) await answer.send(text)
    answer.close()
  })

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badParameter('path', 'percent-encoded UTF-8', part)
  }
}
