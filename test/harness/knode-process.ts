// Knode as users start it: bin/knode in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { inTime, programPatience } from '../../src/base/eventually.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'knode')

export interface FinishedCommand {
  code: number | null
  out: string
  err: string
}

/** Runs `knode WORDS` to its end. @throws with its words when there is none */
export async function runKnode(
  words: readonly string[],
  { cwd = dirname(bin), input = '' } = {},
): Promise<FinishedCommand> {
  const child = spawn(bin, words, { cwd, env: cleanEnvironment() })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  child.stdin.end(input)
  const closed = once(child, 'close') as Promise<[number | null]>
  const [code] = await inTime(
    closed,
    () => `knode ${words.join(' ')} to end; it said:\n${out}${err}`,
    programPatience,
  ).finally(() => child.kill('SIGKILL'))
  return { code, out, err }
}

export interface KnodeProcess extends AsyncDisposable {
  pid: number
  api: string
  gateway: string
  kubeconfig: string
  /** Standard output so far. */
  out(): string
  /** Sends the signal and resolves with the exit code, or `null` when a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts `knode up` on free ports and resolves with the ready line. @throws with its words when it ends first */
export async function startKnodeProcess(
  dataDir: string,
  words: readonly string[] = [],
  { cwd = process.cwd(), environment = {} }: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<KnodeProcess> {
  const ports = ['--api-port', '0', '--gateway-port', '0']
  const env = { ...cleanEnvironment(), ...environment }
  const child = spawn(bin, ['up', '--data-dir', dataDir, ...ports, ...words], { cwd, env })
  const ended = once(child, 'close') as Promise<[number | null]>
  let out = ''
  let err = ''
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const ready = new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
      const line = /^knode ready api=(\S+) gateway=(\S+) kubeconfig=(.+)\n/m.exec(out)
      if (line !== null) resolve(line)
    })
    void ended.then(([code]) => reject(new Error(`knode up ended with ${code}:\n${err}`)))
  })
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    const what = (): string => `knode up to end after ${signal}; it said:\n${err}`
    const [code] = await inTime(ended, what, programPatience).finally(() => child.kill('SIGKILL'))
    return code
  }
  const [, api = '', gateway = '', kubeconfig = ''] = await inTime(
    ready,
    () => `knode up to be ready; it said:\n${err}`,
    programPatience,
  ).catch(async (error: unknown) => {
    await end('SIGKILL')
    throw error
  })
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid!,
    api,
    gateway,
    kubeconfig,
    out: () => out,
    end,
    // Asked, not killed: the programs it started end with it.
    [Symbol.asyncDispose]: async () => void (isRunning() && (await end('SIGTERM'))),
  }
}

/** Nothing of the machine's own configuration gets in. */
function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }
}
