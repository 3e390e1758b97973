// Programs of other people that whole-system tests talk to.
import { spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { skipUnless } from './require.ts'

const versionArguments: Readonly<Record<string, string[]>> = {
  kubectl: ['version', '--client'],
  go: ['version'],
  openssl: ['version'],
}

/** Skips the test unless all of these are on PATH. @returns whether to go on. */
export function skipUnlessInstalled(test: TestContext, ...programs: string[]): boolean {
  return programs.every((program) => {
    const { status } = spawnSync(program, versionArguments[program] ?? ['--version'], { stdio: 'ignore' })
    return skipUnless(test, status === 0, `${program} is not installed`)
  })
}
