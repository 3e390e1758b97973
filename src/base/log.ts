// Structured log lines: a constant message, facts in fields, never event data or secrets.
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Record<string, unknown>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Whether lines of this level are written: ask before gathering facts that cost something. */
  writes(level: LogLevel): boolean
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger
}

export interface LogOptions {
  /** Lowest level written. @default 'info' */
  level?: LogLevel
  /** `json` writes one object a line; `pretty` is for people. @default 'json' */
  format?: 'json' | 'pretty'
  /** Takes a finished line, newline included. @default standard error */
  write?: (line: string) => void
  clock?: Clock
}

const levels: LogLevel[] = ['debug', 'info', 'warn', 'error']

/** A logger of JSON or pretty lines. */
export function createLogger(options: LogOptions = {}): Logger {
  const { level = 'info', format = 'json', clock = systemClock } = options
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  const lowest = levels.indexOf(level)
  const make = (shared: LogFields): Logger => {
    const at = (lineLevel: LogLevel) => (message: string, fields?: LogFields) => {
      if (levels.indexOf(lineLevel) < lowest) return
      const time = new Date(clock.now()).toISOString()
      const facts = { ...shared, ...fields }
      write(format === 'json' ? jsonLine(time, lineLevel, message, facts) : prettyLine(time, lineLevel, message, facts))
    }
    const child = (fields: LogFields): Logger => make({ ...shared, ...fields })
    const writes = (level: LogLevel): boolean => levels.indexOf(level) >= lowest
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), writes, child }
  }
  return make({})
}

/** A logger that writes nothing. */
export const silentLogger: Logger = createLogger({ write: () => undefined, level: 'error' })

const jsonLine = (time: string, level: LogLevel, message: string, facts: LogFields): string =>
  `${JSON.stringify({ level, ts: time, msg: message, ...printable(facts) })}\n`

const prettyLine = (time: string, level: LogLevel, message: string, facts: LogFields): string => {
  const pairs = Object.entries(printable(facts)).map(([name, value]) => ` ${name}=${shown(value)}`)
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join('')}\n`
}

const shown = (value: unknown): string =>
  typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined')

function printable(facts: LogFields): LogFields {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Error ? `${value.name}: ${value.message}` : value]),
  )
}
