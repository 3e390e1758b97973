import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../base/clock.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'
import type { ProbeTarget } from './probe-attempt.ts'
import { Prober } from './prober.ts'
import type { ProberOptions } from './prober.ts'

interface Look {
  atMs: number
  probe: Probe
  timeoutMs: number
}

/** Probes of a container whose program is as well as `isWell` says. */
function watch(container: Container, isWell: (look: Look) => boolean) {
  const clock = new FakeClock()
  const looks: Look[] = []
  const heard: string[] = []
  const hear = (what: string): void => void heard.push(`${clock.monotonicMs()} ${what}`)
  const prober = new Prober({
    container,
    workload: {} as Workload,
    clock,
    attempt(probe, _, timeoutMs) {
      const look = { atMs: clock.monotonicMs(), probe, timeoutMs }
      looks.push(look)
      return Promise.resolve(isWell(look) ? { isWell: true } : { isWell: false, message: 'sick' })
    },
    onReady: (isReady) => hear(isReady ? 'ready' : 'not ready'),
    onStarted: () => hear('started'),
    onUnwell: (_, message) => hear(`unwell: ${message}`),
    onFailure: hear,
  })
  prober.start()
  return { clock, looks, heard, prober }
}

function startProber(container: Container, clock: FakeClock, more: Partial<ProberOptions>): Prober {
  const ignore = (): void => undefined
  const heard = { onReady: ignore, onStarted: ignore, onUnwell: ignore, onFailure: ignore }
  const attempt = () => Promise.resolve({ isWell: true } as const)
  const prober = new Prober({ container, workload: {} as Workload, clock, attempt, ...heard, ...more })
  prober.start()
  return prober
}

const tcp = { tcpSocket: { port: 8080 } }
const timesOf = (looks: readonly Look[]): number[] => looks.map(({ atMs }) => atMs)

test('a probe without a period looks at once, then after a twentieth of the time passed, at most every 50 ms', async () => {
  const { clock, looks, heard } = watch({ readinessProbe: tcp }, ({ atMs }) => atMs >= 700)
  await clock.advance(2_000)
  const times = timesOf(looks)
  assert.deepEqual(times.slice(0, 4), [0, 1, 2, 3])
  for (const [index, atMs] of times.slice(1).entries()) {
    const waitedMs = atMs - times[index]!
    assert.ok(waitedMs <= Math.max(1, times[index]! / 20) + 0.001 && waitedMs <= 50, `${waitedMs} at ${times[index]}`)
  }
  assert.ok(times.at(-1)! - 700 <= 50, 'it hears of readiness soon')
  assert.ok(looks.every(({ timeoutMs }) => timeoutMs === 100))
  assert.equal(heard.length, 2)
  assert.match(heard[1]!, /ready$/)
})

test('a ready container is looked at once a period; failures in a row make it unready, one success ready again', async () => {
  let isWell = true
  const probe = { ...tcp, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 3 }
  const { clock, looks, heard } = watch({ readinessProbe: probe }, () => isWell)
  await clock.advance(5_000)
  assert.deepEqual(timesOf(looks), [0, 5_000])
  assert.equal(looks[1]!.timeoutMs, 3_000)
  isWell = false
  await clock.advance(10_000)
  isWell = true
  await clock.advance(5_000)
  assert.deepEqual(heard, [
    '0 started',
    '0 ready',
    '10000 Readiness probe failed: sick',
    '15000 Readiness probe failed: sick',
    '15000 not ready',
    '20000 ready',
  ])
})

test('success has to last as long as the threshold asks, and a failure starts the count anew', async () => {
  const answers = [true, false, true, true, true]
  const { heard, clock } = watch({ readinessProbe: { ...tcp, successThreshold: 3 } }, () => answers.shift()!)
  await clock.advance(3)
  assert.deepEqual(heard, ['0 started'])
  await clock.advance(1)
  assert.deepEqual(heard, ['0 started', '4 ready'])
})

test('failures before the first success are told once a period, however often it looks', async () => {
  const { clock, heard } = watch({ readinessProbe: { ...tcp, periodSeconds: 10 } }, () => false)
  await clock.advance(25_000)
  assert.equal(heard.filter((what) => what.includes('Readiness probe failed')).length, 2)
})

test('a sick program is started again after as many failures as its liveness probe allows', async () => {
  const livenessProbe = { ...tcp, periodSeconds: 1, failureThreshold: 3, initialDelaySeconds: 5 }
  const { clock, heard } = watch({ livenessProbe }, ({ atMs }) => atMs < 8_000)
  await clock.advance(10_000)
  assert.equal(heard.at(-1), '10000 unwell: Liveness probe failed: sick')
  assert.equal(
    heard.filter((what) => what.endsWith('Liveness probe failed: sick') && !what.includes('unwell')).length,
    3,
  )
})

test('the other probes wait for the startup probe, and a program that never starts is started again', async () => {
  const container: Container = {
    startupProbe: { httpGet: { path: '/up', port: 1 }, periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...tcp, periodSeconds: 1 },
    readinessProbe: { exec: { command: ['true'] } },
  }
  const { clock, looks, heard } = watch(container, () => false)
  await clock.advance(4_500)
  assert.ok(looks.every(({ probe }) => probe.httpGet !== undefined))
  assert.ok(heard.some((what) => what.includes('unwell: Startup probe failed: sick')))
  assert.ok(!heard.some((what) => what.includes('started') && !what.includes('Startup')))
})

test('a container without readiness probe is ready when it runs, or when the port it declares is open', async () => {
  assert.deepEqual(watch({}, () => false).heard, ['0 started', '0 ready'])
  const { clock, heard, looks } = watch({ ports: [{ containerPort: 9000 }] }, ({ atMs }) => atMs >= 20)
  await clock.advance(30)
  assert.deepEqual(looks[0]!.probe, { tcpSocket: { port: 9000 } })
  assert.equal(heard.length, 2)
  const silent = watch({ ports: [{ containerPort: 9000 }] }, () => false)
  await silent.clock.advance(10_100)
  assert.match(silent.heard.at(-1)!, /ready$/, 'a port that is never opened holds it up for a while only')
})

test('commands are not run more often than ten times a second', async () => {
  const { clock, looks } = watch({ readinessProbe: { exec: { command: ['false'] } } }, () => false)
  await clock.advance(1_000)
  assert.ok(looks.length <= 11, `${looks.length}`)
})

test('whether HTTP/2 is looked for is asked at each look, and what was found stays known', async () => {
  const targets: ProbeTarget[] = []
  const clock = new FakeClock()
  let detects = false
  using _ = startProber({ readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 } }, clock, {
    detectsHttp2: () => detects,
    attempt(probe, target) {
      targets.push(target)
      return Promise.resolve({ isWell: true })
    },
  })
  await clock.advance(1_500)
  detects = true
  await clock.advance(1_000)
  assert.deepEqual(
    targets.map((target) => target.detectsHttp2),
    [false, false, true],
  )
  assert.equal(new Set(targets.map(({ spoken }) => spoken)).size, 1)
})

test('nothing is looked at, and nothing heard, once it is disposed', async () => {
  const { clock, looks, heard, prober } = watch({ readinessProbe: tcp }, () => false)
  prober[Symbol.dispose]()
  const seen = looks.length
  await clock.advance(1_000)
  assert.deepEqual([looks.length, heard], [seen, ['0 started']])
  assert.equal(clock.pendingTimers, 0)
})

test('a machine that stood still does not count the missed time as failures', async () => {
  const clock = new FakeClock()
  const heard: string[] = []
  let standsStill = true
  const container = { startupProbe: { ...tcp, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 1 } }
  startProber(container, clock, {
    attempt: async () => {
      // The first look is under way while the machine sleeps for a minute.
      if (standsStill) await sleep(clock, 60_000)
      standsStill = false
      return { isWell: false, message: 'sick' }
    },
    onUnwell: (_, message) => void heard.push(message),
  })
  await clock.advance(75_000)
  assert.deepEqual(heard, [])
  await clock.advance(15_000)
  assert.deepEqual(heard, ['Startup probe failed: sick'])
})
