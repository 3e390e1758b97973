// Runs the real kn, which is built from its published module once and kept below `.cache/`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { builtGoProgram } from './go-program.ts'

const moduleDirectory = join(import.meta.dirname, 'kn')

export interface KnResult {
  code: number
  stdout: string
  stderr: string
}

export interface Kn extends Disposable {
  /** Where the program is, by the name `kn`: for PATH. */
  directory: string
  run(...args: string[]): Promise<KnResult>
  /** `run` that wants exit code 0, and returns standard output. */
  ok(...args: string[]): Promise<string>
}

/** The real kn with a home of its own, for the cluster of a kubeconfig's text; `undefined` after skipping the test where it cannot be built. */
export async function createKn(test: TestContext, { kubeconfig }: { kubeconfig: string }): Promise<Kn | undefined> {
  const program = builtGoProgram(test, { name: 'kn', directory: moduleDirectory, package: 'knative.dev/client/cmd/kn' })
  if (program === undefined) return undefined
  const home = mkdtempSync(join(tmpdir(), 'knode-kn-'))
  const path = join(home, 'kubeconfig')
  await writeFile(path, kubeconfig)
  symlinkSync(program, join(home, 'kn'))
  const kn: Kn = {
    directory: home,
    async run(...args) {
      const child = spawn(program, args, {
        env: { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: path },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code: code ?? -1, stdout, stderr }
    },
    async ok(...args) {
      const { code, stdout, stderr } = await kn.run(...args)
      if (code !== 0) throw new Error(`kn ${args.join(' ')} exited with ${code}:\n${stdout}${stderr}`)
      return stdout
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
  return kn
}
