import assert from 'node:assert/strict'
import test from 'node:test'
import { nextRunMs, scheduleProblem, timezoneProblem } from './schedule.ts'

const utc = (text: string): number => Date.parse(`${text}Z`)

test('schedules are accepted and refused as robfig/cron does', () => {
  const accepted = [
    '* * * * *',
    '*/5 * * * * *',
    '0 9 * * mon-fri',
    '@hourly',
    'CRON_TZ=Asia/Tokyo 0 9 * * *',
    '? 1 1,15 jan-mar ?',
  ]
  for (const schedule of accepted) assert.equal(scheduleProblem(schedule), undefined, schedule)
  const refused: [string, RegExp][] = [
    ['', /^empty spec string$/],
    ['x', /^expected 5 to 6 fields, found 1: \[x\]$/],
    ['* * * * * * *', /^expected 5 to 6 fields, found 7/],
    ['@every 5s', /^unsupported descriptor @every$/],
    ['60 * * * *', /^end of range \(60\) above maximum \(59\): 60$/],
    ['* * * * 7', /^end of range \(7\) above maximum \(6\): 7$/],
    ['* * 0 * *', /^beginning of range \(0\) below minimum \(1\): 0$/],
    ['* * L * *', /^failed to parse int from L/],
    ['* * * constructor *', /^failed to parse int from constructor/],
    ['* * * * valueOf', /^failed to parse int from valueOf/],
    ['5-1 * * * *', /beyond end of range/],
    ['*/0 * * * *', /^step of range should be a positive number/],
    ['1/2/3 * * * *', /^too many slashes/],
    ['1-2-3 * * * *', /^too many hyphens/],
  ]
  for (const [schedule, why] of refused) assert.match(scheduleProblem(schedule) ?? '', why, schedule)
})

test('a time zone must exist', () => {
  assert.equal(timezoneProblem('Europe/Rome'), undefined)
  assert.equal(timezoneProblem('Mars/Olympus'), 'provided bad location Mars/Olympus: unknown time zone Mars/Olympus')
})

test('the next run is computed in the time zone of the schedule', () => {
  const from = utc('2026-01-01T00:00:00')
  assert.equal(nextRunMs('0 9 * * *', 'Asia/Tokyo', from), utc('2026-01-02T00:00:00'))
  assert.equal(nextRunMs('CRON_TZ=Asia/Tokyo 30 9 * * *', 'UTC', from), utc('2026-01-01T00:30:00'))
  assert.equal(nextRunMs('*/5 * * * * *', 'UTC', from), from + 5000)
})

test('a time that summer time leaves out is skipped, not shifted', () => {
  // Rome jumps from 02:00 to 03:00 on 29 March 2026.
  const run = nextRunMs('30 2 * * *', 'Europe/Rome', utc('2026-03-28T12:00:00'))
  assert.equal(run, utc('2026-03-30T00:30:00'))
})

test('day of month and day of week are alternatives when both are restricted', () => {
  // The 13th of January 2026 is a Tuesday, the first Friday after the 1st is the 2nd.
  assert.equal(nextRunMs('0 0 13 * fri', 'UTC', utc('2026-01-01T00:00:00')), utc('2026-01-02T00:00:00'))
})

test('every schedule that is accepted has its runs', () => {
  const from = utc('2026-01-01T00:00:30')
  const rows: [string, string][] = [
    ['5/15 * * * *', '2026-01-01T00:05:00'],
    ['5/30 * * * *', '2026-01-01T00:05:00'],
    ['7,20/25 * * * *', '2026-01-01T00:07:00'],
    ['*/90 * * * *', '2026-01-01T01:00:00'],
    ['?/90 2/30 * * *', '2026-01-01T02:00:00'],
    ['0 0 * * mon-fri/9', '2026-01-05T00:00:00'],
    ['0 0 * * tue/2', '2026-01-01T00:00:00'],
    ['0 0 1 mar/3 *', '2026-03-01T00:00:00'],
  ]
  for (const [schedule, next] of rows) {
    assert.equal(scheduleProblem(schedule), undefined, schedule)
    const day = schedule === '0 0 * * tue/2' ? utc('2025-12-31T12:00:00') : from
    assert.equal(nextRunMs(schedule, 'UTC', day), utc(next), schedule)
  }
  assert.equal(nextRunMs('50/15 * * * *', 'UTC', utc('2026-01-01T00:50:00')), utc('2026-01-01T01:50:00'))
})

test('a time zone in front of a schedule must exist, too', () => {
  assert.equal(
    scheduleProblem('TZ=Mars/Olympus 0 9 * * *'),
    'provided bad location Mars/Olympus: unknown time zone Mars/Olympus',
  )
})
