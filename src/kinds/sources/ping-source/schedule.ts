// Cron schedules as Knative reads them: the grammar of robfig/cron, the arithmetic of croner.
import { Cron } from 'croner'
import { own } from '../../../model/own.ts'

const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

interface Field {
  name: string
  min: number
  max: number
  names?: Readonly<Record<string, number>>
}

const monthNames = numbered('jan feb mar apr may jun jul aug sep oct nov dec', 1)
const dayNames = numbered('sun mon tue wed thu fri sat', 0)

const fields: Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: monthNames },
  { name: 'day of week', min: 0, max: 6, names: dayNames },
]

function numbered(names: string, first: number): Readonly<Record<string, number>> {
  return Object.fromEntries(names.split(' ').map((name, index) => [name, index + first]))
}

/** Why a schedule is refused, in upstream's words, or `undefined`. */
export function scheduleProblem(schedule: string): string | undefined {
  const { expression: written, zone } = withoutZone(schedule)
  const badZone = zone === undefined ? undefined : timezoneProblem(zone)
  if (badZone !== undefined) return badZone
  const expression = written.trim()
  if (expression === '') return 'empty spec string'
  if (expression.startsWith('@')) {
    return descriptors.has(expression) ? undefined : `unsupported descriptor ${expression.split(' ')[0]}`
  }
  const parts = expression.split(/\s+/)
  if (parts.length < 5 || parts.length > 6) {
    return `expected 5 to 6 fields, found ${parts.length}: [${parts.join(' ')}]`
  }
  const grammar = grammarOf(parts)
  return parts.map((part, index) => fieldProblem(part, grammar[index]!)).find((problem) => problem !== undefined)
}

const grammarOf = (parts: readonly string[]): Field[] => (parts.length === 6 ? fields : fields.slice(1))

/** Why a time zone is refused, or `undefined`. */
export function timezoneProblem(timezone: string): string | undefined {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone })
    return undefined
  } catch {
    return `provided bad location ${timezone}: unknown time zone ${timezone}`
  }
}

/**
 * The next run after `afterMs` (milliseconds since 1970), or `undefined` when there is none. Times that a change to
 * summer time leaves out are skipped, not shifted.
 */
export function nextRunMs(schedule: string, timezone: string | undefined, afterMs: number): number | undefined {
  const { expression, zone = timezone } = withoutZone(schedule)
  const cron = new Cron(inPlainRanges(expression.trim()), {
    paused: true,
    mode: '5-or-6-parts',
    ...(zone === undefined || zone === '' ? {} : { timezone: zone }),
  })
  let from = new Date(afterMs)
  for (let skipped = 0; skipped < skippedRunsMax; skipped++) {
    const next = cron.nextRun(from)
    if (next === null) return undefined
    if (cron.match(next)) return next.getTime()
    from = next
  }
  return undefined
}

/** The same schedule for croner, which knows neither `5/15`, from 5 on, nor steps that lead beyond a range's end. */
function inPlainRanges(expression: string): string {
  if (expression.startsWith('@')) return expression
  const parts = expression.split(/\s+/)
  const grammar = grammarOf(parts)
  return parts
    .map((part, index) =>
      part
        .split(',')
        .map((range) => plainRange(range, grammar[index]!))
        .join(','),
    )
    .join(' ')
}

function plainRange(range: string, { min, max, names = {} }: Field): string {
  const [span = '', stepText] = range.split('/')
  const step = Number(stepText ?? 1)
  const isAny = span === '*' || span === '?'
  if (isAny && step === 1) return '*'
  const [lowText = '', highText = stepText === undefined ? lowText : String(max)] = isAny ? [] : span.split('-')
  const value = (text: string): number => own(names, text.toLowerCase()) ?? Number(text)
  const [low, high] = isAny ? [min, max] : [value(lowText), value(highText)]
  if (low === high || step > high - low) return String(low)
  if (isAny) return `*/${step}`
  return step === 1 ? `${low}-${high}` : `${low}-${high}/${step}`
}

/** Shifted runs looked at before giving up. */
const skippedRunsMax = 100

function withoutZone(schedule: string): { expression: string; zone?: string } {
  const prefixed = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/.exec(schedule.trim())
  return prefixed === null ? { expression: schedule } : { expression: prefixed[2]!, zone: prefixed[1]! }
}

function fieldProblem(part: string, field: Field): string | undefined {
  return part
    .split(',')
    .map((range) => rangeProblem(range, field))
    .find((problem) => problem !== undefined)
}

/** `*`, `?`, `n`, `n-m`, each with an optional `/step`. */
function rangeProblem(range: string, { name, min, max, names = {} }: Field): string | undefined {
  const [span = '', step, ...more] = range.split('/')
  if (more.length > 0) return `too many slashes: ${range}`
  if (step !== undefined && !/^[1-9]\d*$/.test(step)) return `step of range should be a positive number: ${range}`
  if (span === '*' || span === '?') return undefined
  const [low = '', high = low, ...rest] = span.split('-')
  if (rest.length > 0) return `too many hyphens: ${range}`
  const numbers: number[] = []
  for (const text of [low, high]) {
    const value = own(names, text.toLowerCase()) ?? (/^\d+$/.test(text) ? Number(text) : undefined)
    if (value === undefined) return `failed to parse int from ${text}: ${name} in ${range}`
    numbers.push(value)
  }
  const [first, last] = numbers as [number, number]
  if (first < min) return `beginning of range (${first}) below minimum (${min}): ${range}`
  if (last > max) return `end of range (${last}) above maximum (${max}): ${range}`
  if (first > last) return `beginning of range (${first}) beyond end of range (${last}): ${range}`
  return undefined
}
