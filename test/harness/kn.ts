// Runs the real kn, which is built from its published module once and kept below `.cache/`.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { skipUnlessInstalled } from './programs.ts'
import { skipUnless } from './require.ts'

const moduleDirectory = join(import.meta.dirname, 'kn')
const cacheDirectory = join(import.meta.dirname, '..', '..', '.cache')

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
  if (!skipUnlessInstalled(test, 'go')) return undefined
  const program = builtKn(test)
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

function builtKn(test: TestContext): string | undefined {
  const sums = readFileSync(join(moduleDirectory, 'go.sum'))
  const path = join(cacheDirectory, `kn-${createHash('sha256').update(sums).digest('hex').slice(0, 12)}`)
  if (existsSync(path)) return path
  test.diagnostic('building kn from its module: this takes a minute or two, once')
  mkdirSync(cacheDirectory, { recursive: true })
  // Whoever builds at the same time makes the same file: the last rename wins.
  const made = `${path}.${process.pid}`
  const { status, stderr } = spawnSync('go', ['build', '-mod=readonly', '-o', made, 'knative.dev/client/cmd/kn'], {
    cwd: moduleDirectory,
    encoding: 'utf8',
  })
  if (!skipUnless(test, status === 0, `kn cannot be built: ${stderr.trim().split('\n').at(-1)}`)) return undefined
  renameSync(made, path)
  return path
}
