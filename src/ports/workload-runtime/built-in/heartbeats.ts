// The image heartbeats: sends an event to K_SINK every period. Source: knative/eventing cmd/heartbeats.
import { sleep } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { AttributeValue } from '../../../model/cloudevents/event.ts'
import { writeBinary } from '../../../model/cloudevents/http-binding.ts'
import { timestampOf } from '../../../model/cloudevents/timestamp.ts'
import { parseGoDuration } from '../../../model/kubernetes/go-duration.ts'
import { goLog } from './program.ts'
import type { BuiltInImage, ProgramContext } from './program.ts'

export const heartbeats: BuiltInImage = {
  names: /^heartbeats$/,
  description: 'sends an event to K_SINK every period',
  start(context) {
    const options = readOptions(context)
    return { kind: 'work', run: () => beat(context, options) }
  },
}

/** Longest wait for the sink's answer, in milliseconds. */
const answerMs = 30_000

interface Options {
  sink: string
  source: string
  type: string
  periodMs: number
  label: string
  msg: string
  extensions: Record<string, AttributeValue>
  isOneShot: boolean
}

async function beat(context: ProgramContext, options: Options): Promise<number> {
  const { sink, periodMs, label, msg, isOneShot } = options
  for (let id = 1; !context.signal.aborted; id++) {
    goLog(context, `sending cloudevent to ${sink}`)
    const failure = await send(context, options, JSON.stringify({ id, label, ...(msg !== '' && { msg }) }))
    if (failure !== undefined) goLog(context, `failed to send cloudevent: ${failure}`)
    if (isOneShot) return 0
    await sleep(context.clock, periodMs, context.signal).catch(() => undefined)
  }
  return 0
}

async function send(context: ProgramContext, options: Options, data: string): Promise<string | undefined> {
  const event = cloudEvent(
    {
      id: context.random.uuid(),
      source: options.source,
      type: options.type,
      time: timestampOf(context.clock.now()),
      datacontenttype: 'application/json',
      ...options.extensions,
    },
    data,
  )
  const { headers, body } = writeBinary(event)
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(answerMs)])
  try {
    const response = await fetch(options.sink, {
      method: 'POST',
      headers,
      body: Buffer.from(body),
      signal,
      redirect: 'manual',
    })
    await response.body?.cancel()
    return response.ok ? undefined : `${response.status}: `
  } catch (thrown) {
    return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : messageOf(thrown)
  }
}

function readOptions({ env, args }: ProgramContext): Options {
  const flags = readFlags(args)
  const { POD_NAMESPACE: namespace = '', POD_NAME: name = '' } = env
  const source = flags['eventSource'] || `https://knative.dev/eventing-contrib/cmd/heartbeats/#${namespace}/${name}`
  const overrides = JSON.parse(env['K_CE_OVERRIDES'] || '{}') as { extensions?: Record<string, string> }
  const sink = env['K_SINK'] || flags['sink'] || ''
  if (sink === '') throw new Error('no sink: set K_SINK or --sink')
  return {
    sink,
    source,
    type: flags['eventType'] || 'dev.knative.eventing.samples.heartbeat',
    periodMs: periodMs(flags['period'] ?? '5s'),
    label: (flags['label'] ?? '').replace(/^"(.*)"$/, '$1'),
    msg: flags['msg'] ?? '',
    extensions: { the: 42, heart: 'yes', beats: true, ...overrides.extensions },
    isOneShot: env['ONE_SHOT'] === 'true' || env['ONE_SHOT'] === '1',
  }
}

/** A Go duration, or a number of seconds. */
function periodMs(text: string): number {
  const durationMs = parseGoDuration(text) ?? (/^\d+$/.test(text) ? Number(text) * 1_000 : undefined)
  if (durationMs === undefined || durationMs <= 0) throw new Error(`Invalid period interval provided: "${text}"`)
  return durationMs
}

/** Go's flags: `-name value`, `--name value`, `-name=value`. */
function readFlags(args: readonly string[]): Record<string, string | undefined> {
  const flags: Record<string, string> = {}
  for (let at = 0; at < args.length; at++) {
    const match = /^--?([A-Za-z]+)(?:=(.*))?$/s.exec(args[at]!)
    if (match === null) throw new Error(`unexpected argument: ${args[at]!}`)
    flags[match[1]!] = match[2] ?? args[++at] ?? ''
  }
  return flags
}
