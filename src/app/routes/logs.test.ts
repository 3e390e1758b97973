import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine, LogOptions, WorkloadLogs } from '../../ports/workload-runtime/port.ts'
import { logsRoute } from './logs.ts'
import { eventually } from '../../base/eventually.ts'
import { aRouteBed } from './test-route.ts'

interface Asked {
  namespace: string
  name: string
  options: LogOptions
}

/** Logs of a workload `web` in `shop`; following, they go on until aborted. */
function someLogs(asked: Asked[], texts: Iterable<string>): WorkloadLogs {
  async function* lines({ follow, signal }: LogOptions): AsyncGenerator<LogLine> {
    for (const text of texts) yield { text } as LogLine
    if (follow === true) await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  }
  return {
    logs(namespace, name, options = {}) {
      asked.push({ namespace, name, options })
      return namespace === 'shop' && name === 'web ü' ? lines(options) : undefined
    },
  }
}

test('gives the lines of a workload, and passes on how many are wanted', async () => {
  const asked: Asked[] = []
  await using bed = await aRouteBed(logsRoute, { runtime: someLogs(asked, ['one', '', 'zwei ü']) })
  const { code, text } = await bed.call('/knode/v1/logs/shop/web%20%C3%BC?tailLines=5')
  assert.deepEqual([code, text], [200, 'one\n\nzwei ü\n'])
  assert.deepEqual([asked[0]!.options.follow, asked[0]!.options.tailLines], [false, 5])
})

test('a Pod is known by its newest instance, a Deployment by what its Pods write', async () => {
  const asked: string[] = []
  const written: WorkloadLogs = {
    logs(_, name) {
      asked.push(name)
      return name.includes('_') || name === 'shop' ? lines() : undefined
    },
  }
  async function* lines(): AsyncGenerator<LogLine> {
    yield { text: 'x' } as LogLine
  }
  await using bed = await aRouteBed(logsRoute, { runtime: written })
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'v1-deployment', uid: 'u', controller: true }
  const labels = { 'serving.knative.dev/service': 'shop' }
  bed.objects.push({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'v1-abc', namespace: 'shop', labels, ownerReferences: [owner] },
    spec: { containers: [{ name: 'app' }] },
    status: { containerStatuses: [{ name: 'app', restartCount: 2 }] },
  })
  assert.equal((await bed.call('/knode/v1/logs/shop/v1-abc')).text, 'x\n')
  assert.equal((await bed.call('/knode/v1/logs/shop/v1-deployment')).text, 'x\n')
  assert.deepEqual(asked, ['v1-abc', 'v1-abc_app_2', 'v1-deployment', 'shop'])
})

test('refuses bad parameters and unknown workloads, saying what is wrong', async () => {
  await using bed = await aRouteBed(logsRoute, { runtime: someLogs([], []) })
  const rows: [string, number, RegExp][] = [
    ['shop/web%20%C3%BC?tailLines=-1', 400, /^tailLines: expected a whole number from 0, got "-1"$/],
    ['shop/web%20%C3%BC?tailLines=', 400, /^tailLines/],
    ['shop/%zz', 400, /^path: expected percent-encoded UTF-8, got "%zz"$/],
    ['shop/gone', 404, /^no workload "gone" has written anything in namespace "shop"$/],
    ['shop/web%20%C3%BC/more', 404, /^no workload/],
    ['', 404, /^no workload/],
  ]
  for (const [path, code, message] of rows) {
    const answer = await bed.call(`/knode/v1/logs/${path}`)
    assert.equal(answer.code, code, path)
    assert.match(answer.message ?? '', message)
  }
})

test('follows until the client goes, or the server stops', async () => {
  const asked: Asked[] = []
  await using bed = await aRouteBed(logsRoute, { runtime: someLogs(asked, ['one']) })
  const response = await bed.open('/knode/v1/logs/shop/web%20%C3%BC?follow=true')
  response.destroy()
  await eventually(() => bed.handling === 0, 'the logs to end')
  assert.equal(asked[0]!.options.signal?.aborted, true)
  const following = bed.call('/knode/v1/logs/shop/web%20%C3%BC?follow=true')
  await eventually(() => asked.length === 2, 'the second')
  bed.stop()
  assert.equal((await following).text, 'one\n')
})

test('whoever follows a Service or Deployment that has written nothing yet awaits its first instance', async () => {
  const asked: Asked[] = []
  const runtime: WorkloadLogs = {
    logs(namespace, name, options = {}) {
      asked.push({ namespace, name, options })
      return options.awaitStart === true ? someLogs([], ['at last']).logs('shop', 'web ü') : undefined
    },
  }
  await using bed = await aRouteBed(logsRoute, { runtime })
  assert.equal((await bed.call('/knode/v1/logs/shop/web?follow=true')).code, 404)
  bed.objects.push(
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'till', namespace: 'shop' } },
  )
  for (const name of ['web', 'till']) {
    assert.equal((await bed.call(`/knode/v1/logs/shop/${name}?follow=true`)).text, 'at last\n')
    assert.equal((await bed.call(`/knode/v1/logs/shop/${name}`)).code, 404)
  }
  assert.equal((await bed.call('/knode/v1/logs/default/web?follow=true')).code, 404)
  assert.ok(asked.every(({ options }) => options.awaitStart !== true || options.follow === true))
})

test('reads no faster than the client does', async () => {
  let produced = 0
  function* many(): Generator<string> {
    for (; produced < 100_000; produced++) yield 'x'.repeat(1_000)
  }
  await using bed = await aRouteBed(logsRoute, { runtime: someLogs([], many()) })
  const response = await bed.open('/knode/v1/logs/shop/web%20%C3%BC')
  let before = -1
  while (before !== produced) {
    before = produced
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(produced < 50_000, `${produced} lines were read`)
  response.destroy()
  await eventually(() => bed.handling === 0, 'the logs to end')
})
