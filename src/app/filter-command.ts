// `knode filter test`: which events a Trigger would get, and why, without sending any.
import { parseArgs } from 'node:util'
import { KnodeError, messageOf } from '../base/errors.ts'
import { compileFilters } from '../engine/delivery/filters/compile.ts'
import type { CompiledFilter } from '../engine/delivery/filters/compile.ts'
import { dataFilterAnnotation, filterSpecOf, isSet } from '../engine/delivery/filters/spec.ts'
import { validateDataFilter, validateFilters, validateLegacyFilter } from '../engine/delivery/filters/validate.ts'
import { attributeText, withAttributes } from '../model/cloudevents/event.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'
import { parseBatchJson, parseEventJson } from '../model/cloudevents/json-format.ts'
import { at, fieldErrorText } from '../model/kubernetes/field-error.ts'
import { parseGoDuration } from '../model/kubernetes/go-duration.ts'
import { namespacedName } from '../model/kubernetes/resource.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { readInput, runReporting } from './command-io.ts'
import type { CommandIo } from './command-io.ts'
import { readManifests } from './manifests.ts'

/** A request for the stored events of a Broker: `GET /knode/v1/history`, answered with one structured event a line. */
export interface HistoryRequest {
  path: '/knode/v1/history'
  query: {
    namespace: string
    broker: string
    /** How far back, in milliseconds. */
    sinceMs: number
  }
  accept: 'application/x-ndjson'
}

export interface FilterCommandIo extends CommandIo {
  /** Asks the running Knode; only called for `--since`. */
  history(request: HistoryRequest): AsyncIterable<string>
}

interface TriggerUnderTest {
  name: string
  brokerNamespace: string
  broker: string
  filter: CompiledFilter
}

interface Options {
  files: string[]
  events: string[]
  broker?: string
  namespace?: string
  sinceMs?: number
  json: boolean
}

/**
 * Runs `knode filter test -f TRIGGER.yaml... [--event FILE|-]... [--since 1h [--broker B] [-n NS]] [-o json]`.
 * Events named by `--event` are told one by one, those of the history as a sum (with `-o json` one by one, too).
 */
export function runFilterCommand(args: readonly string[], io: FilterCommandIo): Promise<number> {
  return runReporting(io, async () => {
    const options = parseArguments(args)
    const triggers = await readTriggers(options, io)
    const report = new Report(io, options.json)
    for (const path of options.events) {
      const events = readEvents(await readInput(path, io), path)
      for (const event of events) for (const trigger of triggers) report.tell(trigger, event)
    }
    if (options.events.length > 0) report.sum(triggers, 'told')
    if (options.sinceMs !== undefined) await testHistory(triggers, options, options.sinceMs, io)
  })
}

async function testHistory(
  triggers: TriggerUnderTest[],
  { broker, json }: Options,
  sinceMs: number,
  io: FilterCommandIo,
): Promise<void> {
  for (const trigger of triggers) {
    const report = new Report(io, json)
    const query = { namespace: trigger.brokerNamespace, broker: broker ?? trigger.broker, sinceMs }
    for await (const line of io.history({ path: '/knode/v1/history', query, accept: 'application/x-ndjson' })) {
      if (line.trim() === '') continue
      const event = readOne(Buffer.from(line), 'the stored history')
      // The hop count belongs to the Broker; filters never see it.
      report.count(trigger, withAttributes(event, { knativebrokerttl: undefined }))
    }
    report.sum([trigger], 'counted')
  }
}

/** Tells and counts which events match. */
class Report {
  #io: CommandIo
  #json: boolean
  #counts = new Map<TriggerUnderTest, { matching: number; all: number }>()

  constructor(io: CommandIo, json: boolean) {
    this.#io = io
    this.#json = json
  }

  tell(trigger: TriggerUnderTest, event: CloudEvent): void {
    const { passes, reason } = trigger.filter.explain(event)
    this.#add(trigger, passes)
    if (this.#json) return this.#write({ ...facts(trigger, event), passes, reason })
    const { id, type, source } = facts(trigger, event)
    this.#io.stdout.write(
      `${passes ? 'match   ' : 'no match'}  ${trigger.name}  ${type} ${id} from ${source}: ${reason}\n`,
    )
  }

  count(trigger: TriggerUnderTest, event: CloudEvent): void {
    if (this.#json) this.tell(trigger, event)
    else this.#add(trigger, trigger.filter.passes(event))
  }

  sum(triggers: TriggerUnderTest[], how: 'told' | 'counted'): void {
    for (const trigger of triggers) {
      const { matching, all } = this.#counts.get(trigger) ?? { matching: 0, all: 0 }
      if (this.#json) this.#write({ trigger: trigger.name, matching, all })
      else if (how === 'counted' || all > 1) {
        this.#io.stdout.write(`${trigger.name} would match ${grouped(matching)} of ${grouped(all)}\n`)
      }
    }
  }

  #add(trigger: TriggerUnderTest, passes: boolean): void {
    const count = this.#counts.get(trigger) ?? { matching: 0, all: 0 }
    count.all++
    if (passes) count.matching++
    this.#counts.set(trigger, count)
  }

  #write(line: object): void {
    this.#io.stdout.write(`${JSON.stringify(line)}\n`)
  }
}

const grouped = (count: number): string => count.toLocaleString('en-US')

function facts(trigger: TriggerUnderTest, event: CloudEvent): Record<'trigger' | 'id' | 'type' | 'source', string> {
  const text = (name: string): string => attributeText(event, name) ?? ''
  return { trigger: trigger.name, id: text('id'), type: text('type'), source: text('source') }
}

async function readTriggers({ files, namespace }: Options, io: CommandIo): Promise<TriggerUnderTest[]> {
  const readStdin = async (): Promise<string> => (await readInput('-', io)).toString('utf8')
  const { manifests, problems } = await readManifests(files, { readStdin })
  if (problems.length > 0) throw problems[0]!
  const triggers = manifests.filter(({ object }) => isTrigger(object))
  if (triggers.length === 0) {
    throw new KnodeError('BAD_MANIFEST', `there is no Trigger in ${files.join(', ')}`)
  }
  return triggers.map(({ object, origin }) => compileTrigger(object as TriggerManifest, origin, namespace, io))
}

const isTrigger = ({ apiVersion, kind }: Resource): boolean =>
  kind === 'Trigger' && apiVersion.startsWith('eventing.knative.dev/')

type TriggerManifest = Resource &
  Parameters<typeof filterSpecOf>[0] & {
    spec?: { broker?: string; brokerRef?: { name?: string; namespace?: string } | null }
  }

/** Refuses what the API would refuse. */
function compileTrigger(
  trigger: TriggerManifest,
  origin: string,
  namespace: string | undefined,
  io: CommandIo,
): TriggerUnderTest {
  const { metadata, spec } = trigger
  const { filters, brokerRef } = spec ?? {}
  if (isSet(filters) && !Array.isArray(filters))
    throw new KnodeError('BAD_FILTER', `${origin}: spec.filters is no list`)
  const annotation = metadata.annotations?.[dataFilterAnnotation]
  const found = [
    ...at('spec', [...validateLegacyFilter(spec?.filter), ...validateFilters(filters ?? [])]),
    ...(annotation === undefined ? [] : validateDataFilter(annotation)),
  ]
  const errors = found.filter(({ level }) => level !== 'warning')
  if (errors.length > 0) throw new KnodeError('BAD_FILTER', `${origin}: ${fieldErrorText(errors)}`)
  for (const warning of found) io.stderr.write(`Warning: ${origin}: ${fieldErrorText([warning])}\n`)
  const name = { ...metadata, namespace: namespace ?? metadata.namespace ?? 'default' }
  return {
    name: namespacedName(name),
    brokerNamespace: namespace ?? brokerRef?.namespace ?? name.namespace,
    broker: brokerRef?.name ?? spec?.broker ?? 'default',
    filter: compileFilters(filterSpecOf(trigger)),
  }
}

/** One structured event, a batch, or one event a line in files called `.jsonl` or `.ndjson`. */
function readEvents(bytes: Buffer, origin: string): CloudEvent[] {
  if (/\.(?:jsonl|ndjson)$/.test(origin)) {
    const lines = bytes.toString('utf8').split('\n')
    return lines.flatMap((line, index) =>
      line.trim() === '' ? [] : [readOne(Buffer.from(line), `${origin}, line ${index + 1}`)],
    )
  }
  if (!/^\s*\[/.test(bytes.subarray(0, 1_024).toString('latin1'))) return [readOne(bytes, origin)]
  return reading(origin, () => parseBatchJson(bytes))
}

const readOne = (bytes: Buffer, origin: string): CloudEvent => reading(origin, () => parseEventJson(bytes))

function reading<Result>(origin: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    const hint = 'events are structured JSON: {"specversion":"1.0","id":"1","source":"/a","type":"b"}'
    throw new KnodeError('INVALID_EVENT', `${origin}: ${messageOf(cause)}`, { cause, hint })
  }
}

function parseArguments(args: readonly string[]): Options {
  const { values, positionals } = parsed(args)
  if (positionals.length !== 1 || positionals[0] !== 'test') throw usage('expected: knode filter test')
  const { filename: files = [], event: events = [], broker, namespace, since, output } = values
  if (files.length === 0) throw usage('name a Trigger with -f FILE')
  if (output !== undefined && output !== 'json') throw usage(`--output: "${output}" is not json`)
  if (events.length === 0 && since === undefined) throw usage('name events with --event FILE or --since 1h')
  if ([...files, ...events].filter((path) => path === '-').length > 1) {
    throw usage('standard input can be read only once')
  }
  const sinceMs = since === undefined ? undefined : wholeMs(parseGoDuration(since))
  if (since !== undefined && (sinceMs === undefined || sinceMs < 0)) {
    throw usage(`--since: expected a duration like 1h30m, got "${since}"`)
  }
  return {
    files,
    events,
    json: output === 'json',
    ...(broker !== undefined && { broker }),
    ...(namespace !== undefined && { namespace }),
    ...(sinceMs !== undefined && { sinceMs }),
  }
}

const wholeMs = (durationMs: number | undefined): number | undefined => durationMs && Math.ceil(durationMs)

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        filename: { type: 'string', short: 'f', multiple: true },
        event: { type: 'string', multiple: true },
        broker: { type: 'string' },
        namespace: { type: 'string', short: 'n' },
        since: { type: 'string' },
        output: { type: 'string', short: 'o' },
      },
    })
  } catch (error) {
    throw usage(messageOf(error))
  }
}

function usage(message: string): KnodeError {
  return new KnodeError('USAGE', message, {
    hint: 'knode filter test -f trigger.yaml --event event.json [--since 1h [--broker B] [-n NS]] [-o json]',
  })
}
