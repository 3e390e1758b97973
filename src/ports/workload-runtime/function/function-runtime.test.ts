import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { eventually, programPatience } from '../../../base/eventually.ts'
import { systemRandom } from '../../../base/random.ts'
import { itKeepsTheRuntimeContract } from '../contract.ts'
import type { Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { OrphanRecords } from '../process/orphan-records.ts'
import { groupMembers } from '../process/process-table.ts'
import { createFunctionRuntime } from './function-runtime.ts'
import type { FunctionRuntimeOptions } from './function-runtime.ts'

/** Longest waits, in milliseconds: they only cost time in a test that fails. */
const timeoutMs = 300_000
const graceMs = 300_000

const openRuntime = (options: Partial<FunctionRuntimeOptions> = {}): WorkloadRuntime =>
  createFunctionRuntime({ clock: systemClock, random: systemRandom, ...options })

describe('the function runtime', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'knode-function-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const spec = async (name: string, source: string, more: Partial<WorkloadSpec> = {}): Promise<WorkloadSpec> => {
    await writeFile(join(folder, name), source)
    return { name: 'hello-1', namespace: 'default', image: '', functionFile: name, workdir: folder, env: {}, ...more }
  }
  const running = async (runtime: WorkloadRuntime, given: WorkloadSpec): Promise<Workload> => {
    const workload = await runtime.start(given)
    await workload.ready({ timeoutMs })
    return workload
  }
  const ask = (workload: Workload, path = '/', init?: RequestInit): Promise<Response> =>
    fetch(`http://${workload.host}:${workload.port}${path}`, init)

  itKeepsTheRuntimeContract(async () => ({
    runtime: openRuntime(),
    server: await spec('server.ts', `console.log('one'); console.log('two'); export const handle = (): string => 'hi'`),
    failing: await spec('failing.ts', `console.error('boom'); process.exit(3)`),
    silent: await spec('silent.ts', `await new Promise(() => { setInterval(() => {}, 1e6) })\nexport const handle = 1`),
    impossible: { name: 'no-function', namespace: 'default', image: 'example.com/program', env: {} },
  }))

  it('runs a TypeScript handler with its environment, its folder and a PORT', async () => {
    await using runtime = openRuntime()
    const source = `
      type Answer = { greeting: string | undefined; cwd: string; port: string | undefined }
      export async function handle(): Promise<Answer> {
        const { env } = process
        return { greeting: env['GREETING'], cwd: process.cwd(), port: env['PORT'] }
      }`
    const workload = await running(runtime, await spec('typed.ts', source, { env: { GREETING: 'hi' } }))
    assert.deepEqual(await (await ask(workload)).json(), {
      greeting: 'hi',
      cwd: folder,
      port: String(workload.port),
    })
  })

  it('runs CommonJS modules, default exports and objects with init and shutdown', async () => {
    await using runtime = openRuntime()
    const source = `
      let words = 'not initialised'
      module.exports = {
        init: async () => { words = 'initialised' },
        handle: () => words,
        shutdown: () => console.log('shut down'),
      }`
    const workload = await running(runtime, await spec('hooks.cjs', source))
    assert.equal(await (await ask(workload)).text(), 'initialised')
    await workload.stop({ graceMs })
    assert.deepEqual(await workload.exited, { code: 0 })
    assert.deepEqual(await texts(workload), ['shut down'])
    const plain = await running(runtime, await spec('plain.mjs', `export default () => 'default'`))
    assert.equal(await (await ask(plain)).text(), 'default')
  })

  it('finds the function of a folder in its index file', async () => {
    await using runtime = openRuntime()
    await mkdir(join(folder, 'shop'))
    await writeFile(join(folder, 'shop', 'index.js'), `exports.handle = () => 'from the folder'`)
    const workload = await running(runtime, { ...(await spec('unused.ts', '')), functionFile: 'shop' })
    assert.equal(await (await ask(workload)).text(), 'from the folder')
  })

  it('says which file does not exist', async () => {
    await using runtime = openRuntime()
    await assert.rejects(runtime.start({ ...(await spec('unused.ts', '')), functionFile: 'nowhere.ts' }), {
      code: 'WORKLOAD_FAILED',
      message: /nowhere\.ts does not exist/,
    })
  })

  it('prints why a module cannot become a function, and ends with code 1', async () => {
    await using runtime = openRuntime()
    for (const [name, source, why] of [
      ['broken.ts', 'export const handle = (: string', /SyntaxError|broken\.ts/],
      ['empty.ts', 'export const handler = () => 1', /exports no handler: export a function named "handle"/],
      ['throwing.ts', `throw new Error('no database')`, /no database/],
    ] as const) {
      const workload = await runtime.start(await spec(name, source))
      assert.deepEqual(await workload.exited, { code: 1 })
      assert.match((await texts(workload)).join('\n'), why)
    }
  })

  it('finishes a request that runs when it is asked to end', async () => {
    await using runtime = openRuntime()
    const source = `
      export async function handle() {
        console.log('begun')
        await new Promise((done) => process.once('SIGTERM', () => setTimeout(done, 50)))
        return 'finished'
      }`
    const workload = await running(runtime, await spec('slow.mjs', source))
    const answer = ask(workload)
    for await (const { text } of workload.logs({ follow: true })) if (text === 'begun') break
    await Promise.all([
      workload.stop({ graceMs }),
      answer.then(async (got) => assert.equal(await got.text(), 'finished')),
    ])
    assert.deepEqual(await workload.exited, { code: 0 })
  })

  it('hands over a process that was started before, and starts the next one', async () => {
    const noted = join(folder, 'noted')
    const records = await OrphanRecords.open(noted)
    {
      await using runtime = openRuntime({ records })
      const given = await spec('pid.ts', 'export const handle = () => String(process.pid)')
      runtime.prewarm!({ ...given, functionFile: undefined! })
      assert.deepEqual(await readdir(noted), [], 'no spare while no function is known')
      runtime.prewarm!(given)
      runtime.prewarm!(given)
      const spare = await eventually(async () => (await readdir(noted))[0], 'a spare', programPatience)
      const workload = await running(runtime, given)
      assert.ok((await readdir(noted)).includes(spare), 'the spare has become the instance')
      await eventually(async () => (await readdir(noted)).length === 2, 'two processes', programPatience)
      assert.ok((await groupMembers(Number(await (await ask(workload)).text()))).length > 0)
    }
    assert.deepEqual(await readdir(noted), [])
  })

  it('leaves it to clients to close idle connections', async () => {
    await using runtime = openRuntime()
    const workload = await running(runtime, await spec('idle.ts', `export const handle = () => 'idle'`))
    assert.equal((await ask(workload)).headers.get('keep-alive'), null, 'no time is told after which it closes them')
  })

  it('is not held up by connections that clients leave open', async () => {
    await using runtime = openRuntime()
    const workload = await running(runtime, await spec('open.ts', `export const handle = () => 'open'`))
    const idle = connect({ host: workload.host, port: workload.port })
    await once(idle, 'connect')
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')
    await workload.stop({ graceMs })
    assert.deepEqual(await workload.exited, { code: 0 })
    idle.destroy()
  })

  it('ends by itself when Knode is killed', async () => {
    const { functionFile } = await spec('left.ts', `export const handle = () => String(process.pid)`)
    const source = `
      const { createFunctionRuntime } = await import('${new URL('./function-runtime.ts', import.meta.url).href}')
      const { systemClock } = await import('${new URL('../../../base/clock.ts', import.meta.url).href}')
      const { systemRandom } = await import('${new URL('../../../base/random.ts', import.meta.url).href}')
      const runtime = createFunctionRuntime({ clock: systemClock, random: systemRandom })
      const spec = { name: 'a', namespace: 'b', image: '', env: {}, ...${JSON.stringify({ functionFile, workdir: folder })} }
      const workload = await runtime.start(spec)
      await workload.ready({ timeoutMs: ${timeoutMs} })
      console.log(await (await fetch('http://' + workload.host + ':' + workload.port)).text())`
    const knode = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface(knode.stdout), 'line')) as [string]
    assert.ok((await groupMembers(Number(line))).length > 0)
    knode.kill('SIGKILL')
    await eventually(async () => (await groupMembers(Number(line))).length === 0, 'nobody to be left', programPatience)
  })

  it('does not give away a spare that has ended', async () => {
    const noted = join(folder, 'killed')
    await using runtime = openRuntime({ records: await OrphanRecords.open(noted) })
    const given = await spec('after.ts', `export const handle = () => 'here'`)
    runtime.prewarm!(given)
    const note = await eventually(async () => (await readdir(noted))[0], 'a spare', programPatience)
    const { pid } = await eventually(
      async () => {
        try {
          return JSON.parse(await readFile(join(noted, note), 'utf8')) as { pid: number }
        } catch {
          return undefined
        }
      },
      'its note',
      programPatience,
    )
    process.kill(pid, 'SIGKILL')
    await eventually(async () => (await readdir(noted)).length === 0, 'the spare to be gone', programPatience)
    const workload = await running(runtime, given)
    assert.equal(await (await ask(workload)).text(), 'here')
  })
})

async function texts(workload: Workload): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of workload.logs()) lines.push(text)
  return lines
}
