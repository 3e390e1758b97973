// Timestamps as text: a Date knows no microseconds, so none is used to read one. Source: RFC 3339, section 5.6.

/**
 * The timestamp in UTC with trailing zeros of the second's fraction trimmed, as Knative's ingress writes it;
 * digits beyond nanoseconds are cut. `undefined` when the text is no RFC 3339 timestamp with upper-case `T` and `Z`.
 */
export function utcTimestamp(text: string): string | undefined {
  return usual.test(text) ? text : rewritten(text)
}

/** What nearly every event has, and what is passed on as it is: up to the 28th, as every month has that many days. */
const usual = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,8}[1-9])?Z$/

function rewritten(text: string): string | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  let [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  if (match[8] === undefined && (match[7] === undefined || /^\d{0,8}[1-9]$/.test(match[7]))) return text
  const fraction = (match[7] ?? '').slice(0, 9).replace(/0+$/, '')
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (offsetHour > 23 || offsetMinute > 59) return undefined

  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -1 : 1)
  const minutes = hour * 60 + minute - offset
  day += Math.floor(minutes / 1440)
  if (day < 1) {
    month--
    if (month < 1) [year, month] = [year - 1, 12]
    day = daysIn(year, month)
  } else if (day > daysIn(year, month)) {
    day = 1
    month++
    if (month > 12) [year, month] = [year + 1, 1]
  }
  if (year < 0 || year > 9999) return undefined
  const ofDay = (minutes + 1440) % 1440
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
  const time = `${padded(Math.floor(ofDay / 60), 2)}:${padded(ofDay % 60, 2)}:${match[6]}`
  return `${date}T${time}${fraction === '' ? '' : `.${fraction}`}Z`
}

/** A moment in milliseconds since 1970 as a timestamp in the same form. */
export function timestampOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z')
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/
const padded = (value: number, digits: number): string => String(value).padStart(digits, '0')

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
