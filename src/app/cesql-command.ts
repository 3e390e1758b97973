// `knode cesql`: value or error of CESQL expressions, as JSON, one line each.
import { KnodeError, messageOf } from '../base/errors.ts'
import { compileCesql } from '../engine/delivery/filters/cesql/compile.ts'
import { CesqlParseError } from '../engine/delivery/filters/cesql/error.ts'
import type { CesqlValue } from '../engine/delivery/filters/cesql/ast.ts'
import type { CesqlError } from '../engine/delivery/filters/cesql/error.ts'
import { cloudEvent, withAttributes } from '../model/cloudevents/event.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'
import { parseEventJson } from '../model/cloudevents/json-format.ts'
import { inputLines, readInput, runReporting } from './command-io.ts'
import type { CommandIo } from './command-io.ts'

/** What one expression gives; `value` is null only beside a ParseError. */
interface Answer {
  value: CesqlValue | null
  error: CesqlError | null
}

/** The event when none is named: only what every event has. */
const bareEvent = cloudEvent({ id: '1', source: '/knode', type: 'dev.knode.cesql' })

/**
 * Runs `knode cesql [EXPRESSION] [--event FILE|-]`. An error of the expression is an answer like any other.
 *
 * Without EXPRESSION each line of standard input is one. A line `{"expression":…,"event":{…}}` brings its own event.
 */
export function runCesqlCommand(args: readonly string[], io: CommandIo): Promise<number> {
  return runReporting(io, async () => {
    const { expression, eventPath } = parseArguments(args)
    if (expression === undefined && eventPath === '-') {
      throw usage('standard input cannot hold both the event and the expressions')
    }
    const event = eventPath === undefined ? bareEvent : readEvent(await readInput(eventPath, io), eventPath)
    const answer = (text: string, event: CloudEvent): void =>
      void io.stdout.write(`${JSON.stringify(evaluate(text, event))}\n`)
    if (expression !== undefined) return answer(expression, event)
    for await (const line of inputLines(io)) {
      const request = line.trimStart().startsWith('{') ? parseRequest(line) : { expression: line }
      answer(request.expression, request.event ?? event)
    }
  })
}

function evaluate(text: string, event: CloudEvent): Answer {
  try {
    const { value, error } = compileCesql(text).evaluate(event)
    return { value, error: error ?? null }
  } catch (error) {
    if (!(error instanceof CesqlParseError)) throw error
    return { value: null, error: { type: 'ParseError', message: error.message } }
  }
}

/** Anything but a known flag is the expression, which may well begin with a minus. */
function parseArguments(args: readonly string[]): { expression?: string; eventPath?: string } {
  const expressions: string[] = []
  let eventPath: string | undefined
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    if (word === '--') {
      expressions.push(...args.slice(index + 1))
      break
    } else if (word === '--event') {
      eventPath = args[++index]
      if (eventPath === undefined) throw usage('--event needs a value: --event FILE, or --event - for standard input')
    } else if (word.startsWith('--event=')) eventPath = word.slice('--event='.length)
    else expressions.push(word)
  }
  if (expressions.length > 1) throw usage(`one expression at a time, not also "${expressions[1]}"`)
  const [expression] = expressions
  return { ...(expression !== undefined && { expression }), ...(eventPath !== undefined && { eventPath }) }
}

function parseRequest(line: string): { expression: string; event?: CloudEvent } {
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch (cause) {
    throw usage(`standard input: a line that begins with { must be JSON: ${messageOf(cause)}`)
  }
  const { expression, event } = request as { expression?: unknown; event?: unknown }
  if (typeof expression !== 'string') throw usage('standard input: {"expression":…} is missing or no text')
  if (event === undefined) return { expression }
  return { expression, event: readEvent(Buffer.from(JSON.stringify(event)), 'standard input') }
}

/** A structured event. Its time stays as written: CESQL sees the offset that an ingress would have turned into UTC. */
function readEvent(json: Buffer, origin: string): CloudEvent {
  try {
    const event = parseEventJson(json)
    const { time } = JSON.parse(json.toString('utf8')) as { time?: unknown }
    return typeof time === 'string' ? withAttributes(event, { time }) : event
  } catch (cause) {
    throw new KnodeError('INVALID_EVENT', `${origin}: ${messageOf(cause)}`, {
      cause,
      hint: 'the event must be structured JSON: {"specversion":"1.0","id":"1","source":"/a","type":"b"}',
    })
  }
}

function usage(message: string): KnodeError {
  return new KnodeError('USAGE', message, { hint: `knode cesql "type = 'order'" --event event.json` })
}
