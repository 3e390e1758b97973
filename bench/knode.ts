// Knode in a process of its own, from the package built for this run.
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Resource } from '../src/model/kubernetes/resource.ts'
import { Part, script } from './part.ts'
import type { PartOptions } from './part.ts'

const root = join(import.meta.dirname, '..')

let isBuilt = false

/** Where the package is, built anew for this run: users have that, not its sources. */
export function builtPackage(): string {
  const { status } = isBuilt
    ? { status: 0 }
    : spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the package cannot be built: try npm run build')
  isBuilt = true
  return join(root, 'dist')
}

export interface KnodeOptions extends PartOptions {
  mode?: 'disk' | 'memory'
  /** Kept when Knode ends; without it there is one that goes with Knode. */
  dataDir?: string
}

export interface MemoryInUse {
  rssBytes: number
  /** Timers that wait. */
  timers: number
}

export class Knode implements AsyncDisposable {
  readonly part: Part
  /** Of the gateway, without a path. */
  readonly url: string
  readonly #scratch: Scratch

  private constructor(part: Part, url: string, scratch: Scratch) {
    this.part = part
    this.url = url
    this.#scratch = scratch
  }

  static async start({ mode = 'disk', dataDir, ...options }: KnodeOptions = {}): Promise<Knode> {
    const program = join(import.meta.dirname, 'knode-program.mjs')
    const scratch = await scratchDirectory()
    const part = new Part(script(program, builtPackage(), dataDir ?? scratch.path, mode), options)
    return new Knode(part, await part.ready(), scratch)
  }

  /** Makes the objects that are not there yet, in namespace `default`, and waits until all are Ready. */
  async apply(objects: readonly Resource[]): Promise<void> {
    await this.#ask({ ask: 'apply', objects })
  }

  async patch(kind: string, namespace: string, name: string, change: object): Promise<void> {
    await this.#ask({ ask: 'patch', kind, namespace, name, change })
  }

  async memory(): Promise<MemoryInUse> {
    return (await this.#ask({ ask: 'memory' })) as MemoryInUse
  }

  async #ask(question: object): Promise<unknown> {
    return JSON.parse(await this.part.ask(JSON.stringify(question)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.part[Symbol.asyncDispose]()
    await this.#scratch[Symbol.asyncDispose]()
  }
}

export interface Scratch extends AsyncDisposable {
  path: string
}

/** A directory that goes when it is disposed. */
export async function scratchDirectory(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'knode-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export const broker = (name: string): Resource => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name },
})

export interface TriggerOptions {
  filters?: object[]
  annotations?: Record<string, string>
}

export const trigger = (
  name: string,
  brokerName: string,
  uri: string,
  { filters, annotations }: TriggerOptions = {},
): Resource => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, ...(annotations && { annotations }) },
  spec: { broker: brokerName, ...(filters && { filters }), subscriber: { uri } },
})
