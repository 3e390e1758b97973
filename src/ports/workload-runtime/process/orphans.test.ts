import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { eventually, programPatience } from '../../../base/eventually.ts'
import { silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import { openWorkloadRuntime } from '../open.ts'
import { findLimitBase } from './limit-base.ts'
import { groupName } from './limit-group.ts'
import { groupMembers, startedAt } from './process-table.ts'
import { OrphanRecords } from './orphan-records.ts'

const openUrl = new URL('../open.ts', import.meta.url).href
const clockUrl = new URL('../../../base/clock.ts', import.meta.url).href
const randomUrl = new URL('../../../base/random.ts', import.meta.url).href
const logUrl = new URL('../../../base/log.ts', import.meta.url).href

/** A Knode reduced to its runtime: starts a shell with a child that ignores SIGTERM, prints the group, and goes on. */
const knode = (dataDir: string | undefined, next = ''): string => `
  const { openWorkloadRuntime } = await import('${openUrl}')
  const { systemClock } = await import('${clockUrl}')
  const { systemRandom } = await import('${randomUrl}')
  const { silentLogger } = await import('${logUrl}')
  const deps = { ${dataDir === undefined ? '' : `dataDir: ${JSON.stringify(dataDir)},`} clock: systemClock, random: systemRandom, log: silentLogger }
  const runtime = await openWorkloadRuntime(deps)
  const command = 'echo $$ $KNODE_INSTANCE; sleep 1000 & trap "" TERM; while :; do sleep 1000; done'
  const spec = { name: 'a', namespace: 'default', image: '', env: {}, processCommand: command, resources: { cpuMillis: 500 } }
  const workload = await runtime.start(spec)
  for await (const line of workload.logs({ follow: true })) {
    console.log(line.text)
    ${next}
  }
`

test('what a killed Knode left running is ended by the next one', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'knode-orphans-'))
  try {
    const first = spawn(process.execPath, ['--input-type=module', '-e', knode(dataDir)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface(first.stdout), 'line')) as [string]
    const group = Number.parseInt(line, 10)
    first.kill('SIGKILL')
    await once(first, 'exit')
    assert.ok((await groupMembers(group)).length > 0, 'the program outlives a killed Knode')
    const [record] = await readdir(join(dataDir, 'processes'))

    const deps = { dataDir, clock: systemClock, random: systemRandom, log: silentLogger }
    await using _next = await openWorkloadRuntime(deps)
    assert.deepEqual(await groupMembers(group), [])
    assert.deepEqual(await readdir(join(dataDir, 'processes')), [])
    const base = await findLimitBase('/proc/self')
    const groups = typeof base === 'string' ? [] : await readdir(base.folder)
    assert.ok(!groups.includes(groupName(record!.replace('.json', ''))), 'its control group is gone, if it had one')
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})

test('a Knode that ends in a hurry takes its processes along', async () => {
  const base = await findLimitBase('/proc/self')
  for (const hurry of ['process.exit(1)', "setImmediate(() => { throw new Error('bug') })"]) {
    const knodeProcess = spawn(process.execPath, ['--input-type=module', '-e', knode(undefined, hurry)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const lines = createInterface(knodeProcess.stdout)[Symbol.asyncIterator]()
    const [line, instance] = (await lines.next()).value!.split(' ')
    if (knodeProcess.exitCode === null) await once(knodeProcess, 'exit')
    // A killed process takes a moment to be gone.
    await eventually(
      async () => (await groupMembers(Number(line))).length === 0,
      `nobody left after ${hurry}`,
      programPatience,
    )
    if (typeof base === 'string') continue
    const groups = await readdir(base.folder)
    assert.ok(!groups.includes(groupName(instance!)), 'its control group went along, if it had one')
  }
})

test('a process that only got the same pid is left alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'knode-orphans-'))
  const stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  try {
    await once(stranger, 'spawn')
    const records = await OrphanRecords.open(folder)
    const note = { pid: stranger.pid, started: `not ${await startedAt(stranger.pid!)}`, instance: 'x', name: 'a' }
    await writeFile(join(folder, 'x.json'), JSON.stringify(note))
    await records.endOrphans(systemClock, silentLogger)
    assert.equal((await groupMembers(stranger.pid!)).length, 1)
  } finally {
    stranger.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})
