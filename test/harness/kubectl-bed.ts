// The real kubectl against an API of its own, for the tests of one file.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before } from 'node:test'
import { startTestApiServer } from './api-server.ts'
import type { TestApiServer } from './api-server.ts'
import { drink } from './drink.ts'
import { createKubectl } from './kubectl.ts'
import type { Kubectl } from './kubectl.ts'

const installed = spawnSync('kubectl', ['version', '--client']).status === 0
const mustRun = installed || process.env['KNODE_TEST_REQUIRE'] === 'all'

/** For `describe`: why there is nothing to run, if so. */
export const unlessKubectl = { skip: mustRun ? false : 'kubectl is not installed' } as const

export const drinkId = 'Drink.demo.knode.dev'

/** A manifest of the kind that the server has for tests. */
export const aDrink = (name: string, spec = 'cups: 2', metadata = ''): string => `apiVersion: demo.knode.dev/v1
kind: Drink
metadata:
  name: ${name}
  ${metadata}
spec:
  ${spec}
`

export const aConfigMap = (name: string, value: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  key: "${value}"
`

/** Table rows with single blanks, so that column widths do not matter. */
export const rows = (output: string): string[] =>
  output
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' | '))

export const withoutAges = (output: string): string[] =>
  rows(output).map((row) => row.replace(/\b\d+(s|m|m\d+s)\b/g, 'AGE'))

/** Starts the server before the tests around the call, and ends it after them. */
export function kubectlBed() {
  let server: TestApiServer
  let kubectl: Kubectl
  before(async () => {
    server = await startTestApiServer([drink])
    kubectl = await createKubectl(server)
  })
  after(async () => {
    await kubectl[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const ok = (...args: string[]): Promise<string> => kubectl.ok(args)
  return {
    get server(): TestApiServer {
      return server
    },
    get kubectl(): Kubectl {
      return kubectl
    },
    ok,
    apply: (manifest: string, ...args: string[]): Promise<string> =>
      kubectl.ok(['apply', ...args, '-f', '-'], { stdin: manifest }),
    refused: async (args: string[], stdin = ''): Promise<string> => {
      const { code, stdout, stderr } = await kubectl.run(args, { stdin })
      assert.notEqual(code, 0, stdout)
      return stderr
    },
    /** A namespace of its own for each test. */
    inNamespace: async (name: string): Promise<string[]> => {
      await ok('create', 'namespace', name)
      return ['-n', name]
    },
  }
}
