// Runs one command to its end beside an instance, as exec probes do.
import { spawn } from 'node:child_process'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import { execOutputBytesMax } from '../port.ts'
import type { ExecResult } from '../port.ts'
import { signal } from './process-table.ts'

export interface ExecOptions {
  clock: Clock
  cwd: string
  env: NodeJS.ProcessEnv
  timeoutMs: number
  /** Aborts when the instance ends: the command is killed then. */
  until: AbortSignal
}

/** @throws {KnodeError} WORKLOAD_FAILED, TIMED_OUT */
export function execCommand(command: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const { clock, cwd, env, timeoutMs, until } = options
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const kill = (): void => void (child.pid !== undefined && signal(-child.pid, 'SIGKILL'))
    const cancel = clock.setTimer(timeoutMs, () => {
      kill()
      reject(new KnodeError('TIMED_OUT', `${program} did not end within ${timeoutMs} ms`))
    })
    let output = Buffer.alloc(0)
    const take = (chunk: Buffer): void => {
      const left = execOutputBytesMax - output.byteLength
      if (left > 0) output = Buffer.concat([output, chunk.subarray(0, left)])
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (cause) => {
      cancel()
      until.removeEventListener('abort', kill)
      reject(new KnodeError('WORKLOAD_FAILED', `${program} could not be started: ${cause.message}`, { cause }))
    })
    // Once it has ended, its number may become another process'.
    child.once('exit', () => until.removeEventListener('abort', kill))
    child.once('close', (code) => {
      cancel()
      resolve({ code: code ?? 137, output: output.toString() })
    })
    if (until.aborted) kill()
    else until.addEventListener('abort', kill, { once: true })
  })
}
