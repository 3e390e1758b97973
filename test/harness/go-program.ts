// Programs in Go, built from their modules once and kept below `.cache/`.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { skipUnlessInstalled } from './programs.ts'
import { skipUnless } from './require.ts'

const cacheDirectory = join(import.meta.dirname, '..', '..', '.cache')

export interface GoProgram {
  name: string
  /** Of the module: all files in it count for what is built. */
  directory: string
  /** Its main package. */
  package: string
}

/** Where the program is; `undefined` after skipping the test where it cannot be built. */
export function builtGoProgram(test: TestContext, { name, directory, package: main }: GoProgram): string | undefined {
  if (!skipUnlessInstalled(test, 'go')) return undefined
  const hash = createHash('sha256')
  for (const file of readdirSync(directory).sort()) hash.update(readFileSync(join(directory, file)))
  const path = join(cacheDirectory, `${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(path)) return path
  test.diagnostic(`building ${name} from its module: this takes a minute or two, once`)
  mkdirSync(cacheDirectory, { recursive: true })
  // Whoever builds at the same time makes the same file: the last rename wins.
  const made = `${path}.${process.pid}`
  const build = ['build', '-mod=readonly', '-o', made, main]
  const { status, stderr } = spawnSync('go', build, { cwd: directory, encoding: 'utf8' })
  if (!skipUnless(test, status === 0, `${name} cannot be built: ${stderr.trim().split('\n').at(-1)}`)) return undefined
  renameSync(made, path)
  return path
}
