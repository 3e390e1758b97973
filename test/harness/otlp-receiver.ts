// A real receiver of OTLP, made of the protocol's own generated code, and all that came to it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
import { builtGoProgram } from './go-program.ts'

type Values = Record<string, string | number | boolean>

interface Received {
  protocol: string
  /** What was posted to, or the gRPC method. */
  path: string
  /** Of header `x-token`. */
  token: string
  /** How the message was compressed. `''`: it was not */
  encoding: string
  resource: Values
  scope: string
  attributes: Values
}

export interface ReceivedPoint extends Received {
  metric: string
  kind: 'sum' | 'gauge' | 'histogram'
  unit: string
  /** Has a start, which is before its time. */
  lasted: boolean
  temporality?: string
  monotonic?: boolean
  value?: number
  count?: number
  sum?: number
  buckets?: number[]
  bounds?: number[]
}

export interface ReceivedSpan extends Received {
  span: string
  /** `SPAN_KIND_SERVER` … */
  kind: string
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  startNano: number
  tookNano: number
  status: string
  message: string
}

export interface OtlpReceiver extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  grpc: string
  http: string
  points: ReceivedPoint[]
  spans: ReceivedSpan[]
  /** The first such point or span that comes, or came since it was started. */
  point(isWanted: (point: ReceivedPoint) => boolean, what: string): Promise<ReceivedPoint>
  span(isWanted: (span: ReceivedSpan) => boolean, what: string): Promise<ReceivedSpan>
}

const directory = join(import.meta.dirname, 'otlp-receiver')

export interface ReceiverPorts {
  /** `127.0.0.1:PORT`. @default free ones */
  grpc?: string
  http?: string
}

/** `undefined` after skipping the test where it cannot be built. */
export async function startOtlpReceiver(
  test: TestContext,
  { grpc = '127.0.0.1:0', http = '127.0.0.1:0' }: ReceiverPorts = {},
): Promise<OtlpReceiver | undefined> {
  const program = builtGoProgram(test, { name: 'otlp-receiver', directory, package: '.' })
  if (program === undefined) return undefined
  const child = spawn(program, ['-grpc', grpc, '-http', http], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const points: ReceivedPoint[] = []
  const spans: ReceivedSpan[] = []
  const { promise: addresses, resolve, reject } = Promise.withResolvers<{ grpc: string; http: string }>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const facts = JSON.parse(line) as ReceivedPoint & ReceivedSpan & { grpc: string; http: string }
    if (facts.metric !== undefined) points.push(facts)
    else if (facts.span !== undefined) spans.push(facts)
    else resolve(facts)
  })
  const ended = once(child, 'close')
  void ended.then(() => reject(new Error(`the receiver ended:\n${said}`)), reject)
  const first = async <Item>(
    items: readonly Item[],
    isWanted: (item: Item) => boolean,
    what: string,
  ): Promise<Item> => {
    await eventually(
      () => items.some(isWanted),
      () => `${what}; there were\n${tail(items)}`,
      programPatience,
    )
    return items.find(isWanted)!
  }
  return {
    ...(await inTime(addresses, () => 'the receiver to listen', programPatience)),
    points,
    spans,
    point: (isWanted, what) => first(points, isWanted, what),
    span: (isWanted, what) => first(spans, isWanted, what),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const tail = (items: readonly unknown[]): string =>
  items
    .slice(-5)
    .map((item) => JSON.stringify(item))
    .join('\n')
