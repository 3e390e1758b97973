// Knode as users start it: bin/knode in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'knode')

export interface FinishedCommand {
  code: number | null
  out: string
  err: string
}

/** Longest wait for a command or the ready line, in milliseconds: a hang becomes a failure. */
const deadlineMs = 60_000

/** Runs `knode WORDS` to its end. */
export async function runKnode(
  words: readonly string[],
  { cwd = dirname(bin), input = '' } = {},
): Promise<FinishedCommand> {
  const child = spawn(bin, words, { cwd, env: cleanEnvironment(), timeout: deadlineMs })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
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
  { cwd = process.cwd() } = {},
): Promise<KnodeProcess> {
  const ports = ['--api-port', '0', '--gateway-port', '0']
  const child = spawn(bin, ['up', '--data-dir', dataDir, ...ports, ...words], { cwd, env: cleanEnvironment() })
  const ended = once(child, 'close') as Promise<[number | null]>
  let out = ''
  let err = ''
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const ready = new Promise<RegExpExecArray>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${err}`)), deadlineMs)
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
      const line = /^knode ready api=(\S+) gateway=(\S+) kubeconfig=(.+)\n/m.exec(out)
      if (line !== null) resolve(line)
    })
    void ended.then(([code]) => reject(new Error(`knode up ended with ${code}:\n${err}`)))
    void ended.then(() => clearTimeout(timer))
  })
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return (await ended)[0]
  }
  const [, api = '', gateway = '', kubeconfig = ''] = await ready.catch(async (error: unknown) => {
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
    [Symbol.asyncDispose]: async () => void (isRunning() && (await end('SIGKILL'))),
  }
}

/** Nothing of the machine's own configuration gets in. */
function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }
}
