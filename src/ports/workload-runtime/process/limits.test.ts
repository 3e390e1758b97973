import assert from 'node:assert/strict'
import { access, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { eventually, programPatience } from '../../../base/eventually.ts'
import { createLogger, silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import type { Workload, WorkloadResources, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { findLimitBase } from './limit-base.ts'
import type { LimitBase } from './limit-base.ts'
import { LimitGroup } from './limit-group.ts'
import { LimitGroups } from './limit-groups.ts'
import { OrphanRecords } from './orphan-records.ts'
import { createProcessRuntime } from './process-runtime.ts'
import { groupMembers, signal } from './process-table.ts'

const skip = process.platform !== 'linux'

const spec = (processCommand: string, resources?: WorkloadResources): WorkloadSpec => ({
  name: 'program-00001-x',
  namespace: 'default',
  image: 'example.com/program',
  processCommand,
  env: {},
  ...(resources && { resources }),
})

interface Limiting {
  runtime: WorkloadRuntime
  /** What it logged: a line says that limits are not the kernel's here. */
  said: string[]
}

function limiting(options: { selfDir?: string; records?: OrphanRecords } = {}): Limiting {
  const { selfDir, records } = options
  const said: string[] = []
  const log = createLogger({ write: (line) => said.push(line) })
  const limitGroups = new LimitGroups({ clock: systemClock, log, ...(selfDir !== undefined && { selfDir }) })
  const deps = { clock: systemClock, random: systemRandom, limitGroups, ...(records && { records }) }
  return { runtime: createProcessRuntime(deps), said }
}

describe('limits of a process', { skip }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'knode-limits-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('are a share of a processor for a busy program, or what Knode says once that it cannot hold it to', async () => {
    const { runtime, said } = limiting()
    await using _runtime = runtime
    const startMs = performance.now()
    const workload = await runtime.start(spec('while :; do :; done', { cpuMillis: 50 }))
    // The thing itself is time. A machine that is busy or stands still gives less of it, never more: what it has had is
    // set against all the time since before its start.
    const [usedMs, atMs] = await eventually(
      async () => {
        const { cpuMs } = (await workload.usage!())!
        return cpuMs >= 80 && ([cpuMs, performance.now()] as const)
      },
      'the program to have had a moment of a processor',
      programPatience,
    )
    const share = usedMs / (atMs - startMs)
    if (said.length === 0) return assert.ok(share < 0.15, `it had ${share.toFixed(2)} of a processor`)
    assert.match(said.join(''), /^[^\n]*CPU limits of processes are not enforced[^\n]*\n$/)
  })

  it('are memory, whoever holds it to that', async () => {
    const { runtime } = limiting()
    await using _runtime = runtime
    const greedy = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(2e7, 1)), 5)'
    const workload = await runtime.start(spec(`exec node -e "${greedy}"`, { memoryBytes: 200e6, cpuMillis: 2_000 }))
    assert.deepEqual(await workload.exited, { signal: 'SIGKILL', outOfMemory: true })
    assert.match(await printed(workload), /more than its memory limit of 200000000 bytes/)
  })

  it('end with the program, and with who left its process group', async () => {
    const { runtime, said } = limiting()
    await using _runtime = runtime
    const apart = `setsid sh -c 'echo apart $$; exec sleep 1000'`
    const workload = await runtime.start(spec(`cat /proc/self/cgroup; ${apart} & exec sleep 1000`, { cpuMillis: 500 }))
    let left = 0
    for await (const { text } of workload.logs({ follow: true })) {
      left = Number(/^apart (\d+)$/.exec(text)?.[1] ?? 0)
      if (left > 0) break
    }
    await workload.stop({ graceMs: 0 })
    const name = /:\/.*(knode-\S+)/.exec(await printed(workload))?.[1]
    assert.equal(name !== undefined, said.length === 0, 'it had a group unless the log says why not')
    // Without a group nothing tells that it was one of the program's.
    if (name === undefined) return assert.ok(signal(left, 'SIGKILL'))
    assert.deepEqual(await groupMembers(left), [])
    const base = await findLimitBase('/proc/self')
    assert.ok(typeof base !== 'string' && !(await readdir(base.folder)).includes(name))
  })

  it('that take their time do not hide that the program was killed meanwhile', async () => {
    class KillingGroups extends LimitGroups {
      override async take(_group: LimitGroup, pid: number): Promise<boolean> {
        signal(pid, 'SIGKILL')
        // Its number is free when Knode has heard of its end.
        await eventually(() => !signal(pid, 'SIGCONT'), 'the program to be gone', programPatience)
        return false
      }
    }
    const selfDir = await selfIn(folder, '1 0 0:1 / /proc rw - cgroup cgroup rw,cpu', '1:cpu:/')
    const limitGroups = new KillingGroups({ clock: systemClock, log: silentLogger, selfDir })
    await using runtime = createProcessRuntime({ clock: systemClock, random: systemRandom, limitGroups })
    const workload = await runtime.start(spec('true', { cpuMillis: 200 }))
    assert.deepEqual(await workload.exited, { signal: 'SIGKILL' })
  })

  it('cost a program without them nothing', async () => {
    const { runtime, said } = limiting({ selfDir: join(folder, 'not there') })
    await using _runtime = runtime
    await (
      await runtime.start(spec('true'))
    ).exited
    assert.deepEqual(said, [], 'nobody looked for a group')
    await (
      await runtime.start(spec('true', { cpuMillis: 1_000 }))
    ).exited
    assert.match(said.join(''), /the system has no control groups/)
  })

  it('do not keep a program from running where the system refuses a group, which is said once', async () => {
    // The folder of all processes takes none that anybody makes.
    const selfDir = await selfIn(folder, '1 0 0:1 / /proc rw - cgroup cgroup rw,cpu', '1:cpu:/')
    const { runtime, said } = limiting({ selfDir })
    await using _runtime = runtime
    for (let runs = 0; runs < 2; runs++) {
      const workload = await runtime.start(spec('echo ran', { cpuMillis: 200 }))
      assert.deepEqual(await workload.exited, { code: 0 })
      assert.equal(await printed(workload), 'ran')
    }
    assert.equal(said.length, 1)
  })

  it('leave no group behind a killed Knode, and touch none of others', async () => {
    const records = await OrphanRecords.open(join(folder, 'records'))
    const own = join(folder, 'knode-one')
    const others = join(folder, 'precious')
    await Promise.all([mkdir(own), mkdir(others)])
    // A number beyond the kernel's largest: both programs have ended long since.
    await records.add(2 ** 23, 'one', 'a', own)
    await records.add(2 ** 23, 'two', 'b', others)
    await records.endOrphans(systemClock, silentLogger)
    await assert.rejects(access(own))
    await access(others)
    assert.deepEqual(await readdir(join(folder, 'records')), [])
  })
})

describe('a control group of version 2', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'knode-limits-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** A folder with the files of a tree of groups, and what a Knode in its group `path` is told of itself. */
  const treeWith = async (path: string, files: Record<string, string>): Promise<{ tree: string; selfDir: string }> => {
    const tree = await mkdtemp(join(folder, 'tree-'))
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(tree, name, '..'), { recursive: true })
      await writeFile(join(tree, name), text)
    }
    return { tree, selfDir: await selfIn(folder, `1 0 0:1 / ${tree} rw - cgroup2 cgroup2 rw`, `0::${path}`) }
  }
  const offered = { 'cgroup.controllers': 'cpuset cpu io memory pids\n', 'cgroup.subtree_control': 'cpu memory\n' }

  it('is made below the root by a Knode that is in no group', async () => {
    const { tree, selfDir } = await treeWith('/', offered)
    const expected: LimitBase = { version: 2, folder: tree, controllers: new Set(['cpu', 'memory'] as const) }
    assert.deepEqual(await findLimitBase(selfDir), expected)
  })

  it('is made beside the group that systemd put Knode into, within its unit', async () => {
    const unit = 'system.slice/knode.service'
    const { tree, selfDir } = await treeWith(`/${unit}/main`, {
      [`${unit}/cgroup.controllers`]: 'cpu memory',
      [`${unit}/cgroup.subtree_control`]: 'cpu memory',
      [`${unit}/main/cgroup.type`]: 'domain\n',
    })
    const base = await findLimitBase(selfDir)
    assert.ok(typeof base !== 'string')
    assert.equal(base.folder, join(tree, unit))
  })

  it('asks for the controllers that are there and not given on, and is not made without', async () => {
    const { tree, selfDir } = await treeWith('/', { 'cgroup.controllers': 'io memory', 'cgroup.subtree_control': '' })
    const base = await findLimitBase(selfDir)
    assert.match(typeof base === 'string' ? base : base.folder, /offers neither processor time nor memory/)
    assert.equal(await readFile(join(tree, 'cgroup.subtree_control'), 'utf8'), '+memory')
  })

  it('is not made where Knode’s own group holds Knode, nor outside of its unit', async () => {
    const { selfDir } = await treeWith('/system.slice/knode.service', {
      'system.slice/knode.service/cgroup.type': 'domain\n',
      'system.slice/cgroup.controllers': 'cpu memory',
      'system.slice/cgroup.subtree_control': 'cpu memory',
    })
    const base = await findLimitBase(selfDir)
    assert.match(typeof base === 'string' ? base : base.folder, /knode\.service holds Knode itself/)
  })

  it('is said to leave processor time alone where it can only hold memory', async () => {
    const only = { 'cgroup.controllers': 'memory', 'cgroup.subtree_control': 'memory' }
    const { selfDir } = await treeWith('/', only)
    const said: string[] = []
    const log = createLogger({ write: (line) => said.push(line) })
    const groups = new LimitGroups({ clock: systemClock, log, selfDir })
    assert.ok(await groups.reserve('one', { memoryBytes: 1e6 }))
    assert.deepEqual(said, [])
    assert.ok(await groups.reserve('two', { memoryBytes: 1e6, cpuMillis: 100 }))
    assert.equal(await groups.reserve('three', { cpuMillis: 100 }), undefined)
    assert.match(said.join(''), /^[^\n]*CPU limits of processes are not enforced"[^\n]*offers only memory[^\n]*\n$/)
  })

  it('gets the limits before the process, and tells what the kernel counts', async () => {
    const { tree, selfDir } = await treeWith('/', offered)
    const base = await findLimitBase(selfDir)
    assert.ok(typeof base !== 'string')
    const group = new LimitGroup(base, 'one', { cpuMillis: 250, memoryBytes: 64_000_000 })
    await group.take(1234)
    const own = join(tree, 'knode-one')
    const files = await Promise.all(
      (await readdir(own)).toSorted().map(async (name) => `${name}: ${await readFile(join(own, name), 'utf8')}`),
    )
    assert.deepEqual(files, [
      'cgroup.procs: 1234',
      'cpu.max: 25000 100000',
      'memory.max: 64000000',
      'memory.oom.group: 1',
      'memory.swap.max: 0',
    ])
    await writeFile(join(own, 'cpu.stat'), 'usage_usec 1500000\nuser_usec 1\n')
    await writeFile(join(own, 'memory.current'), '4096\n')
    assert.deepEqual(await group.usage(), { cpuMs: 1_500, memoryBytes: 4_096 })
    await writeFile(join(own, 'memory.events'), 'oom 0\noom_kill 0\noom_group_kill 0\n')
    assert.equal(await group.wasOutOfMemory(), false)
    await writeFile(join(own, 'memory.events'), 'oom 1\noom_kill 2\noom_group_kill 1\n')
    assert.equal(await group.wasOutOfMemory(), true)
  })
})

/** What `/proc/self` would say. */
async function selfIn(folder: string, mountinfo: string, cgroup: string): Promise<string> {
  const selfDir = await mkdtemp(join(folder, 'self-'))
  await Promise.all([
    writeFile(join(selfDir, 'mountinfo'), `${mountinfo}\n`),
    writeFile(join(selfDir, 'cgroup'), `${cgroup}\n`),
  ])
  return selfDir
}

async function printed(workload: Workload): Promise<string> {
  const lines: string[] = []
  for await (const { text } of workload.logs()) lines.push(text)
  return lines.join('\n')
}
