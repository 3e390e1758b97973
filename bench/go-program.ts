// The parts of the benchmarks that are written in Go, built where Go is present.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { results } from './report.ts'

/** @returns the path of the program, or `undefined` where it cannot be built. */
export function goProgram(name: string, directory: string): string | undefined {
  mkdirSync(results, { recursive: true })
  const binary = join(results, name)
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: directory, stdio: 'inherit' })
  return built.status === 0 ? binary : undefined
}
