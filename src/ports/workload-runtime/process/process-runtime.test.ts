import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { eventually } from '../../../base/eventually.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { systemRandom } from '../../../base/random.ts'
import { itKeepsTheRuntimeContract } from '../contract.ts'
import type { LogLine, Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import type { LocalProcessesOptions } from './local-processes.ts'
import { OrphanRecords } from './orphan-records.ts'
import { createProcessRuntime } from './process-runtime.ts'
import { groupMembers } from './process-table.ts'

const listen = `require('node:http').createServer((q, r) => r.end()).listen(process.env.PORT, '127.0.0.1')`
/** Longest waits, in milliseconds: they only cost time in a test that fails. */
const timeoutMs = 300_000
const graceMs = 300_000

const spec = (processCommand: string, env: Record<string, string> = {}): WorkloadSpec => ({
  name: 'program-00001-x',
  namespace: 'default',
  image: 'example.com/program',
  processCommand,
  env,
})

const openRuntime = (options: Partial<LocalProcessesOptions> = {}): WorkloadRuntime =>
  createProcessRuntime({ clock: systemClock, random: systemRandom, ...options })

const hasIpv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === '::1'))

describe('the process runtime', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'knode-process-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  itKeepsTheRuntimeContract(async () => ({
    runtime: openRuntime(),
    server: spec(`echo one; echo two; exec node -e "${listen}"`),
    failing: spec('echo boom >&2; exit 3'),
    silent: spec('exec sleep 1000'),
    impossible: { name: 'no-command', namespace: 'default', image: 'example.com/program', env: {} },
  }))

  it('runs the command in its workdir with the Node that runs Knode, closed stdin, and a PORT', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start({
      ...spec('pwd; command -v node; cat; echo "$GREETING $PORT"', { GREETING: 'hi' }),
      workdir: folder,
    })
    assert.equal((await workload.exited).code, 0)
    assert.deepEqual(await texts(workload), [folder, join(dirname(process.execPath), 'node'), `hi ${workload.port}`])
  })

  it('finds a program that listens on the IPv6 loopback only', { skip: !hasIpv6 }, async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec(`exec node -e "${listen.replace('127.0.0.1', '::1')}"`))
    await workload.ready({ timeoutMs })
    assert.equal(workload.host, '::1')
  })

  it('says which working directory does not exist', async () => {
    await using runtime = openRuntime()
    await assert.rejects(runtime.start({ ...spec('true'), workdir: join(folder, 'nowhere') }), {
      code: 'WORKLOAD_FAILED',
      message: /nowhere does not exist/,
    })
  })

  it('tells a command that does not exist by its exit code and what the shell said', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec('no-such-program-here'))
    assert.equal((await workload.exited).code, 127)
    assert.match((await texts(workload)).join('\n'), /no-such-program-here.*not found/)
  })

  it('lets a program finish its work between SIGTERM and the grace’s end', async () => {
    await using runtime = openRuntime()
    const graceful = `${listen}; process.on('SIGTERM', () => setTimeout(() => { console.log('bye'); process.exit(0) }, 100))`
    // The shell in between dies of the signal at once; that must not cut its child short.
    const workload = await runtime.start(spec(`node -e "${graceful}"; true`))
    await workload.ready({ timeoutMs })
    await workload.stop({ graceMs })
    assert.ok((await texts(workload)).includes('bye'))
  })

  it('kills a program that ignores SIGTERM', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec(`exec node -e "process.on('SIGTERM', () => {}); ${listen}"`))
    await workload.ready({ timeoutMs })
    await workload.stop({ graceMs: 50 })
    assert.deepEqual(await workload.exited, { signal: 'SIGKILL' })
  })

  it('is killed sooner when it is asked again with less time', async () => {
    const clock = new FakeClock()
    await using runtime = openRuntime({ clock, closeGraceMs: 0 })
    const workload = await runtime.start(spec(`trap '' TERM; echo up; while :; do sleep 1000; done`))
    for await (const _line of workload.logs({ follow: true })) break
    const patient = workload.stop({ graceMs: 300_000 })
    const hasty = workload.stop({ graceMs: 5_000 })
    let hasEnded = false
    void workload.exited.then(() => (hasEnded = true))
    const passing = { turn: () => clock.advance(20) }
    await eventually(() => hasEnded, 'the end', passing)
    assert.ok(clock.monotonicMs() >= 5_000 && clock.monotonicMs() < 300_000, `after ${clock.monotonicMs()} ms`)
    await Promise.all([patient, hasty])
    assert.deepEqual(await workload.exited, { signal: 'SIGKILL' })
  })

  it('signals nobody once it has ended: its number may be somebody else’s by then', async (context) => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec('true'))
    await workload.exited
    const signalled: unknown[] = []
    const kill = context.mock.method(process, 'kill', (target: unknown) => signalled.push(target) > 0)
    await workload.stop({ graceMs: 5_000 })
    await workload.stop({ graceMs: 0 })
    kill.mock.restore()
    assert.deepEqual(signalled, [])
  })

  it('outlives a program that does away with its folder of mounts', async () => {
    const mountsDir = join(folder, 'spoilt')
    await using runtime = openRuntime({ mountsDir })
    const workload = await runtime.start({
      ...spec('rm -r "$ROOT" && : > "$ROOT"', { ROOT: mountsDir }),
      mounts: [{ hostPath: folder, mountPath: '/data' }],
    })
    assert.equal((await workload.exited).code, 0)
    await runtime[Symbol.asyncDispose]()
    assert.match((await texts(workload)).join('\n'), /mounts could not be removed/)
  })

  it('takes the rest of the group along when the program’s leader ends', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec('sleep 1000 & echo $$; exit 0'))
    assert.equal((await workload.exited).code, 0)
    assert.deepEqual(await groupMembers(Number((await texts(workload))[0])), [])
  })

  it('keeps the newest lines of a program that floods its output', async () => {
    await using runtime = openRuntime({ logLimits: { linesMax: 10, lineCharactersMax: 8 } })
    const workload = await runtime.start(
      spec('i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done; echo longer-than-that'),
    )
    await workload.exited
    const lines = await texts(workload)
    assert.equal(lines.length, 10)
    assert.deepEqual(lines.slice(-3), ['longer-t', 'han-that'].toSpliced(0, 0, '4999'))
  })

  it('reads no faster than its limit from a program that prints without end', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec('exec yes'))
    for await (const _line of workload.logs({ follow: true, tailLines: 0 })) break
    const kept = await texts(workload)
    assert.ok(kept.length <= 5_000)
    await workload.stop({ graceMs })
    assert.deepEqual(await workload.exited, { signal: 'SIGTERM' })
  })

  it('puts arguments behind the command, as they are', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start({ ...spec('printf "<%s>" first'), args: ['a b', '$HOME', '"'] })
    await workload.exited
    assert.deepEqual(await texts(workload), ['<first><a b><$HOME><">'])
  })

  it('leads to its mounts, with what changes in them, and takes the links away', async () => {
    const mountsDir = join(folder, 'mounts')
    await using runtime = openRuntime({ mountsDir })
    const config = join(folder, 'config')
    await mkdir(config)
    await writeFile(join(config, 'key'), 'old')
    const workload = await runtime.start({
      ...spec('cat "$KNODE_MOUNTS/etc/config/key" "$KNODE_MOUNTS/one"; echo; exec sleep 1000'),
      mounts: [
        { hostPath: config, mountPath: '/etc/config' },
        { hostPath: config, mountPath: '/one', subPath: 'key' },
      ],
    })
    for await (const { text } of workload.logs({ follow: true })) {
      assert.equal(text, 'oldold')
      break
    }
    await writeFile(join(config, 'key'), 'new')
    const reads = await workload.exec!(['sh', '-c', 'cat "$KNODE_MOUNTS/etc/config/key"'], { timeoutMs })
    assert.equal(reads.output, 'new')
    await workload.stop({ graceMs })
    await runtime[Symbol.asyncDispose]()
    assert.deepEqual(await readdir(mountsDir), [])
    assert.deepEqual(await readdir(config), ['key'], 'what was mounted stays')
  })

  it('says that a mount inside another one cannot be shown', async () => {
    await using runtime = openRuntime()
    const mounts = ['/etc', '/etc/config'].map((mountPath) => ({ hostPath: folder, mountPath }))
    await assert.rejects(runtime.start({ ...spec('true'), mounts }), {
      code: 'WORKLOAD_FAILED',
      message: /\/etc\/config cannot be mounted: it lies inside \/etc/,
    })
  })

  it('ends a program that uses more memory than it may', { skip: process.platform !== 'linux' }, async () => {
    await using runtime = openRuntime()
    const greedy = `const kept = []; setInterval(() => kept.push(Buffer.alloc(2e7, 1)), 5)`
    const workload = await runtime.start({ ...spec(`exec node -e "${greedy}"`), resources: { memoryBytes: 200e6 } })
    assert.deepEqual(await workload.exited, { signal: 'SIGKILL', outOfMemory: true })
    assert.match((await texts(workload)).join('\n'), /more than its memory limit of 200000000 bytes/)
  })

  it('says which port a program listens on instead of its own', { skip: process.platform !== 'linux' }, async () => {
    await using runtime = openRuntime()
    const other = `const s = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))`
    const workload = await runtime.start(spec(`exec node -e "${other}"`))
    for await (const { text } of workload.logs({ follow: true })) {
      assert.equal(await workload.listeningTrouble!(), `listens on ${text}, not on PORT ${workload.port}`)
      break
    }
  })

  it('notes running processes, and forgets them when they end', async () => {
    const records = await OrphanRecords.open(join(folder, 'noted'))
    await using runtime = openRuntime({ records })
    const workload = await runtime.start(spec('exec sleep 1000'))
    assert.equal((await readdir(join(folder, 'noted'))).length, 1)
    await workload.stop({ graceMs })
    await runtime[Symbol.asyncDispose]()
    assert.deepEqual(await readdir(join(folder, 'noted')), [])
  })

  it('reads a half-written note as nothing', async () => {
    const noted = join(folder, 'torn')
    const records = await OrphanRecords.open(noted)
    await writeFile(join(noted, 'torn.json'), '{"pid":1')
    await records.endOrphans(systemClock, { warn: assert.fail } as never)
    assert.deepEqual(await readdir(noted), [])
  })
})

async function texts(workload: Workload): Promise<string[]> {
  const lines: LogLine[] = []
  for await (const line of workload.logs()) lines.push(line)
  return lines.map(({ text }) => text)
}
