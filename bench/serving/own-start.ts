// What a program takes by itself, without Knode: from its start until it listens, or gives its first answer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export const programFile = join(import.meta.dirname, 'program.ts')
/** Longest wait for a program, in milliseconds. */
const deadlineMs = 30_000

/** From spawn to the first connection that is taken, in milliseconds. */
export async function ownStartMs(): Promise<number> {
  const port = await freePort()
  const startedMs = performance.now()
  const child = spawn(process.execPath, [programFile], { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' })
  try {
    while (!(await connects(port))) await tick(startedMs)
    return performance.now() - startedMs
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** From the request to the end of its answer, in milliseconds. @throws when that is not 200 */
export async function firstAnswerMs(port: number, host: string): Promise<number> {
  const startedMs = performance.now()
  const status = await statusOf(port, host)
  if (status !== 200) throw new Error(`${host} answered ${status}`)
  return performance.now() - startedMs
}

/** From `start` to the first 200 of what it starts; `stop` is called in the end. */
export async function untilAnsweredMs(port: number, start: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  const starting = start()
  while ((await statusOf(port, 'localhost').catch(() => 0)) !== 200) await tick(startedMs)
  const tookMs = performance.now() - startedMs
  await starting
  return tookMs
}

export function statusOf(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path: '/', headers: { host }, agent: false })
    asking.on('error', reject)
    asking.on('response', (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', reject)
    })
    asking.end()
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

async function tick(startedMs: number): Promise<void> {
  if (performance.now() - startedMs > deadlineMs) throw new Error('a program did not start')
  await wait(1)
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
