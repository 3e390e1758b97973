// knode replay: what it asks for, what it prints, how it ends.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReplayLine } from '../../app/routes/replay.ts'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { startScriptedApi } from '../../../test/harness/scripted-api.ts'

type ReplayCounts = ReplayLine['counts']
type ReplayEnd = Extract<ReplayLine, { what: 'ended' }>['end']

const none: ReplayCounts = { read: 0, missing: 0, matched: 0, delivered: 0, deadLettered: 0, dropped: 0 }
const id = '1a2b3c4d'
const started: ReplayLine = { what: 'started', id, counts: none }
const progress = (counts: Partial<ReplayCounts>): ReplayLine => ({
  what: 'progress',
  id,
  counts: { ...none, ...counts },
})
const ended = (counts: Partial<ReplayCounts>, end: ReplayEnd = { kind: 'done' }): ReplayLine => ({
  what: 'ended',
  id,
  end,
  counts: { ...none, ...counts },
})
const bodyOf = (...lines: ReplayLine[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const words = ['replay', '--trigger', 'shop/orders', '--since', '1h']

describe('replay', () => {
  it('asks for what is wanted, and prints the sum', async () => {
    const counts = { read: 18_233, matched: 412, delivered: 410, deadLettered: 2 }
    await using api = await startScriptedApi({ 'POST /knode/v1/replay': { body: bodyOf(started, ended(counts)) } })
    const more = ['--until', '2026-01-31T12:00:00Z', '--rate', '50', '--limit', '1000']
    const { code, out, err } = await runInProcess([...words, ...more], { server: api.url })
    assert.equal(out, 'replay 1a2b3c4d to shop/orders: 412 of 18,233 events match, 410 delivered, 2 dead-lettered\n')
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(api.requests[0]!.query, {
      namespace: 'shop',
      trigger: 'orders',
      since: '1h',
      until: '2026-01-31T12:00:00Z',
      rate: '50',
      limit: '1000',
    })
    const json = await runInProcess([...words, '-o', 'json'], { server: api.url })
    assert.deepEqual(JSON.parse(json.out), ended(counts))
  })

  it('shows progress on a terminal, on standard error', async () => {
    const body = bodyOf(started, progress({ read: 9, matched: 5, delivered: 2 }), ended({ read: 9 }))
    await using api = await startScriptedApi({ 'POST /knode/v1/replay': { body } })
    const { out, err } = await runInProcess(words, { server: api.url, isTerminal: true })
    const shown = err.split('\r').map((text) => text.replace('\u001B[K', ''))
    assert.equal(shown[2], 'replay 1a2b3c4d to shop/orders: 5 of 9 events match, 2 delivered, 3 on the way')
    assert.equal(shown.at(-1), '')
    assert.match(out, /^replay [^\n]*\n$/)
  })

  it('fails when events were dropped, when it was ended from elsewhere, and when it broke off', async () => {
    const rows: [string, RegExp][] = [
      [bodyOf(ended({ read: 3, matched: 2, delivered: 1, dropped: 1 })), /1 delivered, 1 dropped\n/],
      [
        bodyOf(ended({ read: 3, matched: 2, delivered: 1 }, { kind: 'stopped', reason: 'Knode stops' })),
        /1 delivered, 1 not delivered, stopped: Knode stops\n/,
      ],
      [
        bodyOf(ended({ read: 3, missing: 4 }, { kind: 'failed', reason: 'the disk is broken' })),
        /4 could not be read, failed: the disk is broken\n/,
      ],
      [bodyOf(progress({ read: 3 })), /0 of 3 events match, 0 delivered\n/],
    ]
    for (const [body, expected] of rows) {
      await using api = await startScriptedApi({ 'POST /knode/v1/replay': { body } })
      const { code, out } = await runInProcess(words, { server: api.url })
      assert.equal(code, 1, out)
      assert.match(out, expected)
    }
  })

  it('Ctrl-C ends it: the request is given up, and the count so far printed', async () => {
    await using api = await startScriptedApi({
      'POST /knode/v1/replay': { lines: [started, progress({ read: 9, matched: 5, delivered: 2 })] },
    })
    const stop = new AbortController()
    const running = runInProcess(words, {
      server: api.url,
      signal: stop.signal,
      isTerminal: true,
      onErr: (err) => void (err.includes('5 of 9') && stop.abort()),
    })
    const { code, out } = await running
    assert.equal(code, 130)
    assert.match(out, /5 of 9 events match, 2 delivered, 3 on the way\n$/)
  })

  it('refuses wrong words without asking anybody', async () => {
    const rows: [string[], RegExp][] = [
      [['replay', '--since', '1h'], /--trigger is missing/],
      [['replay', '--trigger', 'orders'], /--since is missing/],
      [['replay', '--trigger', 'a/b/c', '--since', '1h'], /"a\/b\/c" is not \[NS\/\]TRIGGER/],
      [['replay', '--trigger', '/b', '--since', '1h'], /is not \[NS\/\]TRIGGER/],
      [[...words, '-n', 'other'], /--trigger shop\/orders and --namespace other do not agree/],
      [['replay', '--trigger', 'orders', '--since', 'soon'], /--since: "soon" is no time/],
      [[...words, '--until', '-5m'], /--until: "-5m" is no time/],
      [[...words, '--rate', '0'], /--rate: expected a whole number from 1/],
    ]
    for (const [given, expected] of rows) {
      const { code, err } = await runInProcess(given, { server: 'http://127.0.0.1:1' })
      assert.equal(code, 2, err)
      assert.match(err, expected)
    }
  })
})
