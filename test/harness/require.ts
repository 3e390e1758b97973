// What a test needs of the machine: it is skipped where that is missing, and fails where everything must be there.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/**
 * Skips the test with a one-line reason unless `isThere`; with KNODE_TEST_REQUIRE=all, missing is a failure.
 * @returns whether to go on.
 */
export function skipUnless(test: TestContext, isThere: boolean, reason: string): boolean {
  if (isThere) return true
  assert.notEqual(process.env['KNODE_TEST_REQUIRE'], 'all', reason)
  test.skip(reason)
  return false
}
