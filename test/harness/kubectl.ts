// Runs the real kubectl against an API server, with a home and a cache of its own.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTime, programPatience } from '../../src/base/eventually.ts'

/** For its commands that wait: it only costs time in a test that fails. */
export const patience = '--timeout=10m'

export interface KubectlResult {
  code: number
  stdout: string
  stderr: string
}

export interface RunningKubectl {
  /** Resolves once the output so far matches. */
  until(pattern: RegExp): Promise<string>
  /** Ends it and returns all of its output. */
  stop(): Promise<string>
}

export interface Kubectl extends AsyncDisposable {
  /** Where files for it may be put. */
  directory: string
  run(args: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<KubectlResult>
  /** `run` that wants exit code 0, and returns standard output. */
  ok(args: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<string>
  /** Starts one that goes on, e.g. a watch. */
  start(args: readonly string[]): RunningKubectl
  /** Writes a file below the directory and returns its path. */
  file(name: string, text: string): Promise<string>
}

/** `kubeconfig` is the text of one. */
export async function createKubectl({ kubeconfig }: { kubeconfig: string }): Promise<Kubectl> {
  const directory = await mkdtemp(join(tmpdir(), 'knode-kubectl-'))
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name)
    await writeFile(path, text)
    return path
  }
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    KUBECONFIG: await file('kubeconfig', kubeconfig),
  }
  const launch = (args: readonly string[], env: Record<string, string> = {}) =>
    spawn('kubectl', args, { cwd: directory, env: { ...environment, ...env } })
  const kubectl: Kubectl = {
    directory,
    file,
    run(args, { stdin = '', env } = {}) {
      const child = launch(args, env)
      child.stdin.end(stdin)
      let stdout = ''
      let stderr = ''
      const done = new Promise<KubectlResult>((resolve, reject) => {
        child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
        child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
      })
      const what = () => `kubectl ${args.join(' ')} to end; it said:\n${stdout}${stderr}`
      return inTime(done, what, programPatience).finally(() => child.kill('SIGKILL'))
    },
    async ok(args, options) {
      const { code, stdout, stderr } = await kubectl.run(args, options)
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}:\n${stdout}${stderr}`)
      return stdout
    },
    start(args) {
      const child = launch(args)
      child.stdin.end()
      let output = ''
      const waiting = new Set<() => void>()
      const more = (data: Buffer): void => {
        output += data.toString()
        for (const look of waiting) look()
      }
      child.stdout.on('data', more)
      child.stderr.on('data', more)
      const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
      return {
        until(pattern) {
          const matches = new Promise<string>((resolve, reject) => {
            const look = (): void => {
              if (!pattern.test(output)) return
              waiting.delete(look)
              resolve(output)
            }
            waiting.add(look)
            look()
            void closed.then(() => reject(new Error(`kubectl ended before ${String(pattern)}:\n${output}`)))
          })
          return inTime(matches, () => `kubectl to say ${String(pattern)}; it said:\n${output}`, programPatience)
        },
        async stop() {
          child.kill()
          await closed
          return output
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true })
    },
  }
  return kubectl
}
