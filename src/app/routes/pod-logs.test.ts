import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState, Pod } from '../../model/kubernetes/pod/pod.ts'
import type { LogLine, LogOptions, WorkloadLogs } from '../../ports/workload-runtime/port.ts'
import { podLogsRoute } from './pod-logs.ts'
import { eventually } from '../../base/eventually.ts'
import { aRouteBed } from './test-route.ts'

const path = '/api/v1/namespaces/shop/pods/web/log'
/** When the test's clock stands still. */
const nowMs = Date.UTC(2026, 0, 1)

/** What instances wrote, by their name; following, they go on until aborted. */
function someLogs(written: Record<string, [secondsAgo: number, text: string, stream?: 'stderr'][]>): WorkloadLogs {
  async function* linesOf(name: string, { follow, tailLines, signal }: LogOptions): AsyncGenerator<LogLine> {
    const lines = written[name]!
    for (const [secondsAgo, text, stream = 'stdout'] of tailLines === undefined
      ? lines
      : lines.slice(Math.max(0, lines.length - tailLines))) {
      yield { timeMs: nowMs - secondsAgo * 1_000, text, stream }
    }
    if (follow === true) await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  }
  return {
    logs: (namespace, name, options = {}) =>
      namespace === 'shop' && written[name] !== undefined ? linesOf(name, options) : undefined,
  }
}

function aPod(containers: Record<string, { restartCount?: number; state?: ContainerState }> = { app: {} }): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: Object.keys(containers).map((name) => ({ name })), initContainers: [{ name: 'init' }] },
    status: {
      containerStatuses: Object.entries(containers).map(([name, { restartCount = 0, state = { running: {} } }]) => ({
        name,
        state,
        restartCount,
        lastState: {},
        ready: true,
        image: '',
        imageID: '',
      })),
    },
  }
}

async function aBed(written: Parameters<typeof someLogs>[0], pod = aPod()) {
  const bed = await aRouteBed(podLogsRoute, { runtime: someLogs(written) })
  bed.objects.push(pod)
  return bed
}

test('gives the lines of the only container, from the last ones, since a time, of one stream', async () => {
  await using bed = await aBed({
    web_app_0: [
      [60, 'one'],
      [30, 'two', 'stderr'],
      [1, 'drei ü'],
    ],
  })
  const rows: [string, string][] = [
    ['', 'one\ntwo\ndrei ü\n'],
    ['?tailLines=2', 'two\ndrei ü\n'],
    ['?tailLines=0', ''],
    ['?sinceSeconds=30', 'two\ndrei ü\n'],
    ['?sinceTime=2025-12-31T23:59:59Z', 'drei ü\n'],
    ['?sinceSeconds=40&tailLines=1', 'drei ü\n'],
    ['?timestamps=true&tailLines=1', '2025-12-31T23:59:59.000000000Z drei ü\n'],
    ['?limitBytes=6', 'one\ntw'],
    ['?stream=Stderr', 'two\n'],
    ['?container=app', 'one\ntwo\ndrei ü\n'],
  ]
  for (const [query, text] of rows) assert.deepEqual([query, (await bed.call(path + query)).text], [query, text])
})

test('a container that was started again shows its newest instance, or the one before', async () => {
  const waiting = { waiting: { reason: 'CrashLoopBackOff' } }
  const pod = aPod({ app: { restartCount: 2, state: waiting } })
  await using bed = await aBed({ web_app_1: [[9, 'before']], web_app_2: [[1, 'newest']] }, pod)
  assert.equal((await bed.call(path)).text, 'newest\n')
  assert.equal((await bed.call(`${path}?previous=true`)).text, 'before\n')
})

test('of several containers one has to be chosen, and what there is not is refused in Kubernetes’ words', async () => {
  const pod = aPod({ app: {}, side: { state: { waiting: { reason: 'ContainerCreating' } } } })
  await using bed = await aBed({ web_app_0: [[1, 'app']], web_init_0: [[1, 'init']] }, pod)
  assert.equal((await bed.call(`${path}?container=init`)).text, 'init\n')
  const rows: [string, number, string][] = [
    [
      path,
      400,
      'a container name must be specified for pod web, choose one of: [app side] or one of the init containers: [init]',
    ],
    [`${path}?container=nope`, 400, 'container nope is not valid for pod web'],
    [`${path}?container=side`, 400, 'container "side" in pod "web" is waiting to start: ContainerCreating'],
    [`${path}?container=app&previous=true`, 400, 'previous terminated container "app" in pod "web" not found'],
    [`${path}?container=app&tailLines=-1`, 400, 'tailLines: expected a whole number from 0, got "-1"'],
    [path.replace('web', '%zz'), 400, 'path: expected percent-encoded UTF-8, got "%zz"'],
    [path.replace('web', 'gone'), 404, 'pods "gone" not found'],
  ]
  for (const [asked, code, message] of rows) {
    const answer = await bed.call(asked)
    assert.deepEqual([answer.code, answer.message], [code, message])
  }
  assert.equal((await bed.call(path, 'DELETE')).code, 405)
})

test('follows until the client goes, or the server stops', async () => {
  await using bed = await aBed({ web_app_0: [[1, 'one']] })
  const response = await bed.open(`${path}?follow=true`)
  response.destroy()
  await eventually(() => bed.handling === 0, 'the logs to end')
  const following = bed.call(`${path}?follow=true`)
  await eventually(() => bed.handling === 1, 'the second')
  bed.stop()
  assert.equal((await following).text, 'one\n')
})
