// What every driver of the workload runtime promises; a driver's test is one call.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it } from 'node:test'
import { defaultContainerPort } from './port.ts'
import type { LogLine, Workload, WorkloadRuntime, WorkloadSpec } from './port.ts'

/** A runtime to test, and specs that make it run programs of a known behaviour. */
export interface RuntimeUnderTest {
  runtime: WorkloadRuntime
  /** Prints `one`, `two`, then accepts connections until it is asked to end. */
  server: WorkloadSpec
  /** Prints `boom` and ends with exit code 3, listening to nothing. */
  failing: WorkloadSpec
  /** Runs, and never accepts a connection. */
  silent: WorkloadSpec
  /** What the runtime has no way to run. */
  impossible: WorkloadSpec
}

/** Longest wait, in milliseconds: it only costs time in a test that fails. */
const timeoutMs = 300_000
/** Milliseconds. A container that is asked to end before its program listens to that takes them all. */
const graceMs = 5_000

export function itKeepsTheRuntimeContract(open: () => Promise<RuntimeUnderTest>): void {
  const withRuntime = async (run: (test: RuntimeUnderTest) => Promise<void>): Promise<void> => {
    const test = await open()
    await using _runtime = test.runtime
    await run(test)
  }

  it('says why it cannot run a workload, and refuses to start it', () =>
    withRuntime(async ({ runtime, impossible, server }) => {
      assert.equal(runtime.objection(server), undefined)
      assert.ok(runtime.objection(impossible))
      await assert.rejects(runtime.start(impossible), { code: 'WORKLOAD_FAILED' })
    }))

  it('is ready when the instance accepts connections at its host and port', () =>
    withRuntime(async ({ runtime, server }) => {
      const workload = await runtime.start(server)
      assert.deepEqual(workload.spec, server)
      await workload.ready({ timeoutMs })
      await connects(workload)
      await workload.ready({ timeoutMs })
      assert.equal(workload.portOf(server.containerPort ?? defaultContainerPort), workload.port)
      assert.equal(await workload.listeningTrouble?.(), undefined)
    }))

  it('gives each of two instances a port of its own', () =>
    withRuntime(async ({ runtime, server }) => {
      const [first, second] = await Promise.all([
        runtime.start({ ...server, name: 'first' }),
        runtime.start({ ...server, name: 'second' }),
      ])
      await Promise.all([first.ready({ timeoutMs }), second.ready({ timeoutMs })])
      assert.notEqual(`${first.host}:${first.port}`, `${second.host}:${second.port}`)
    }))

  it('gives up waiting for an instance that never listens', () =>
    withRuntime(async ({ runtime, silent }) => {
      const workload = await runtime.start(silent)
      await assert.rejects(workload.ready({ timeoutMs: 100 }), { code: 'TIMED_OUT' })
    }))

  it('tells the exit code of an instance that ends by itself, and stops waiting for it', () =>
    withRuntime(async ({ runtime, failing }) => {
      const workload = await runtime.start(failing)
      await assert.rejects(workload.ready({ timeoutMs }), { code: 'WORKLOAD_FAILED' })
      assert.equal((await workload.exited).code, 3)
    }))

  it('keeps what an instance printed after its end', () =>
    withRuntime(async ({ runtime, failing }) => {
      const workload = await runtime.start(failing)
      await workload.exited
      assert.ok((await texts(workload.logs())).includes('boom'))
    }))

  it('reads lines in order, from the last ones if asked', () =>
    withRuntime(async ({ runtime, server }) => {
      const workload = await runtime.start(server)
      await workload.ready({ timeoutMs })
      // What was printed may take a moment to arrive.
      for await (const { text } of workload.logs({ follow: true })) if (text === 'two') break
      const lines = await texts(workload.logs())
      assert.deepEqual(lines.slice(lines.indexOf('one')), ['one', 'two'])
      assert.deepEqual(await texts(workload.logs({ tailLines: 1 })), ['two'])
      assert.deepEqual(await texts(workload.logs({ tailLines: 0 })), [])
    }))

  it('follows lines until the instance ends', () =>
    withRuntime(async ({ runtime, server }) => {
      const workload = await runtime.start(server)
      await workload.ready({ timeoutMs })
      const following = texts(workload.logs({ follow: true }))
      await workload.stop({ graceMs })
      assert.ok((await following).includes('two'))
    }))

  it('follows lines until the reader leaves', () =>
    withRuntime(async ({ runtime, server }) => {
      const workload = await runtime.start(server)
      await workload.ready({ timeoutMs })
      const leaving = new AbortController()
      const following = texts(workload.logs({ follow: true, signal: leaving.signal }))
      leaving.abort()
      await following
    }))

  it('runs commands beside an instance, where it can at all', () =>
    withRuntime(async ({ runtime, silent }) => {
      const workload = await runtime.start(silent)
      if (workload.exec === undefined) return
      const node = await workload.exec(['node', '-e', 'console.log("out"); process.exitCode = 7'], { timeoutMs })
      assert.deepEqual(node, { code: 7, output: 'out\n' })
      await assert.rejects(workload.exec(['node', '-e', 'setInterval(() => {}, 1e6)'], { timeoutMs: 100 }), {
        code: 'TIMED_OUT',
      })
      const missing = await workload.exec(['no-such-program-here'], { timeoutMs }).catch(() => ({ code: 127 }))
      assert.ok(missing.code > 0)
    }))

  it('tells what an instance uses, until it has ended', () =>
    withRuntime(async ({ runtime, silent }) => {
      const workload = await runtime.start(silent)
      if (workload.usage === undefined) return
      const usage = await workload.usage()
      assert.ok(usage !== undefined && usage.memoryBytes > 0 && usage.cpuMs >= 0)
      await workload.stop({ graceMs: 0 })
      assert.equal(await workload.usage(), undefined)
    }))

  it('ends an instance when asked, and once more is fine', () =>
    withRuntime(async ({ runtime, server }) => {
      const workload = await runtime.start(server)
      await workload.ready({ timeoutMs })
      await Promise.all([workload.stop({ graceMs }), workload.stop({ graceMs })])
      await workload.exited
      await workload.stop({ graceMs })
      await assert.rejects(connects(workload))
    }))

  it('ends an instance that is not ready yet', () =>
    withRuntime(async ({ runtime, silent }) => {
      const workload = await runtime.start(silent)
      const waiting = assert.rejects(workload.ready({ timeoutMs }), { code: 'WORKLOAD_FAILED' })
      await workload.stop({ graceMs })
      await waiting
    }))

  it('ends every instance when it is closed, and twice is fine', async () => {
    const { runtime, server, silent } = await open()
    const workloads = [await runtime.start(server), await runtime.start(silent)]
    await runtime[Symbol.asyncDispose]()
    await Promise.all(workloads.map(({ exited }) => exited))
    await runtime[Symbol.asyncDispose]()
  })
}

async function texts(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const found: string[] = []
  for await (const { text } of lines) found.push(text)
  return found
}

function connects({ host, port }: Workload): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
