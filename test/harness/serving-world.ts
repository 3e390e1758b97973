// A Knode with kubectl, and Services to ask: for whole-system tests of Serving.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import type { RunningKnode } from '../../src/app/start-knode.ts'
import { silentLogger } from '../../src/base/log.ts'
import { askService } from './ask-service.ts'
import { createKubectl, patience } from './kubectl.ts'
import type { Kubectl } from './kubectl.ts'
import { skipUnlessInstalled } from './programs.ts'

/** The key of config-autoscaler that a test sets which wants it. */
export const scalesToZero = 'enable-scale-to-zero'

const hello = join(import.meta.dirname, 'apps', 'hello.ts')

export interface ServiceOptions {
  /** The shell command. @default the program hello, if there is no image */
  command?: string
  /** Run as it is. */
  image?: string
  target?: string
  /** Of the template, e.g. a name for the Revision. */
  metadata?: Record<string, unknown>
  annotations?: Record<string, string>
  spec?: Record<string, unknown>
  traffic?: Record<string, unknown>[]
}

/** A ksvc as JSON, which kubectl takes as YAML. */
export function aService(name: string, options: ServiceOptions = {}): string {
  const { image, command = `"${process.execPath}" "${hello}"`, target = 'one', metadata, spec, traffic } = options
  const annotations = { ...(image === undefined && { 'knode.dev/command': `exec ${command}` }), ...options.annotations }
  const containers = [{ image: image ?? 'example.com/hello', env: [{ name: 'TARGET', value: target }] }]
  return JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      template: {
        metadata: { ...metadata, annotations },
        spec: { containers, ...spec },
      },
      ...(traffic && { traffic }),
    },
  })
}

export interface World extends AsyncDisposable {
  knode: RunningKnode
  kubectl: Kubectl
  /** What was written of requests. */
  requestLines: string[]
  ask: (name: string, path?: string) => ReturnType<typeof askService>
  apply: (manifest: string) => Promise<string>
  ready: (name: string) => Promise<void>
  /** The first word of each of `count` answers, counted. */
  shares: (name: string, count: number) => Promise<Map<string, number>>
}

async function aWorld(): Promise<World> {
  await using starting = new AsyncDisposableStack()
  const requestLines: string[] = []
  const knode = starting.use(
    await startKnode({
      memory: true,
      apiPort: 0,
      gatewayPort: 0,
      log: silentLogger,
      writeRequestLog: (line) => void requestLines.push(line),
    }),
  )
  const kubectl = starting.use(await createKubectl({ kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') }))
  // What a test looks at is there, however long the machine takes.
  await knode.client.patch('ConfigMap', 'knative-serving', 'config-autoscaler', { data: { [scalesToZero]: 'false' } })
  const ask: World['ask'] = (name, path) => askService(knode.gatewayUrl, `${name}.default.svc.cluster.local`, path)
  const running = starting.move()
  return {
    knode,
    kubectl,
    requestLines,
    ask,
    apply: (manifest) => kubectl.ok(['apply', '-f', '-'], { stdin: manifest }),
    ready: async (name) => void (await kubectl.ok(['wait', '--for=condition=Ready', patience, `ksvc/${name}`])),
    async shares(name, count) {
      const shares = new Map<string, number>()
      const one = async (): Promise<void> => {
        const { status, body } = await ask(name)
        const word = status === 200 ? body.split(' ')[0]! : String(status)
        shares.set(word, (shares.get(word) ?? 0) + 1)
      }
      for (let sent = 0; sent < count; sent += 20) await Promise.all(Array.from({ length: 20 }, one))
      return shares
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Runs the test in a Knode of its own, if kubectl is there. */
export const inAWorld = (run: (world: World, t: TestContext) => Promise<void>) => async (t: TestContext) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using world = await aWorld()
  await run(world, t)
}
