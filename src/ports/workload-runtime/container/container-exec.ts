// Runs one command to its end inside a container. Source: Docker Engine API, "Exec".
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import { execOutputBytesMax } from '../port.ts'
import type { ExecResult } from '../port.ts'
import type { EngineClient } from './engine-client.ts'
import { frameReader } from './log-frames.ts'

/** @throws {KnodeError} WORKLOAD_FAILED, and TIMED_OUT: the API has no way to end a command, so it goes on. */
export async function execInContainer(
  engine: EngineClient,
  id: string,
  command: readonly string[],
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<ExecResult> {
  const late = new AbortController()
  const { signal } = late
  const cancel = clock.setTimer(timeoutMs, () =>
    late.abort(new KnodeError('TIMED_OUT', `${command[0]} did not end within ${timeoutMs} ms`)),
  )
  try {
    const body = { Cmd: command, AttachStdout: true, AttachStderr: true }
    const { Id } = await engine.call<{ Id: string }>('POST', `/containers/${id}/exec`, { body, signal })
    const start = { Detach: false, Tty: false }
    const answer = await engine.stream('POST', `/exec/${Id}/start`, { body: start, signal })
    let output = Buffer.alloc(0)
    const take = (chunk: Uint8Array): void => {
      const left = execOutputBytesMax - output.byteLength
      if (left > 0) output = Buffer.concat([output, chunk.subarray(0, left)])
    }
    const read = frameReader({ stdout: take, stderr: take })
    for await (const chunk of answer as AsyncIterable<Buffer>) read(chunk)
    const { ExitCode } = await engine.call<{ ExitCode?: number | null }>('GET', `/exec/${Id}/json`, { signal })
    return { code: ExitCode ?? 0, output: output.toString() }
  } catch (thrown) {
    throw signal.aborted ? (signal.reason as Error) : thrown
  } finally {
    cancel()
  }
}
