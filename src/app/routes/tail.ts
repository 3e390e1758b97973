// `GET /knode/v1/tail?namespace=&broker=&type=`: what becomes of events, one JSON object a line, until the client goes.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { flowLine } from '../flow-line.ts'
import { jsonLines, openLines, untilAborted } from './line-answer.ts'
import { defineRoute } from './route.ts'
import type { RouteDeps } from './route.ts'

/** Bytes a slow reader may be behind; more is left out, and the reader is told how much. */
const backlogBytesMax = 1_048_576

export const tailRoute = ({ flow }: Pick<RouteDeps, 'flow'>): ExtraRoute =>
  defineRoute('GET', '/knode/v1/tail', async (_, response, { url, stopping }) => {
    const wanted = streamsWanted(url.searchParams)
    const type = url.searchParams.get('type')
    const lines = openLines(response, stopping, jsonLines)
    let leftOut = 0
    using _subscription = flow.subscribe((fact) => {
      if (!wanted(fact.stream)) return
      if (type !== null && fact.event.attributes.get('type') !== type) return
      if (lines.waitingBytes > backlogBytesMax) {
        leftOut++
        return
      }
      if (leftOut > 0) lines.write(JSON.stringify({ what: 'left-out', count: leftOut }))
      leftOut = 0
      lines.write(JSON.stringify(flowLine(fact)))
    })
    await untilAborted(lines.ended)
    lines.close()
  })

/** Streams are named KIND/NAMESPACE/NAME/UID. */
function streamsWanted(query: URLSearchParams): (stream: string) => boolean {
  const broker = query.get('broker')
  const namespace = query.get('namespace')
  if (broker !== null) {
    const prefix = `broker/${namespace ?? 'default'}/${broker}/`
    return (stream) => stream.startsWith(prefix)
  }
  return (stream) => namespace === null || stream.split('/', 2)[1] === namespace
}
