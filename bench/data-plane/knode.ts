// Knode as the package has it (`npm run build`), a process of its own, with one Broker and some Triggers. Prints
// `ready URL`.
// Usage: knode.ts memory|disk SUBSCRIBER_URL MATCHING OTHERS
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Broker } from '../../src/kinds/eventing/broker/schema.ts'
import type { Trigger } from '../../src/kinds/eventing/trigger/schema.ts'

const built = new URL('../../dist/index.js', import.meta.url)
const { startKnode } = (await import(built.href)) as typeof import('../../src/index.ts')

const [mode = 'memory', subscriber = '', matching = '1', others = '0'] = process.argv.slice(2)
const dataDir = await mkdtemp(join(tmpdir(), 'knode-bench-'))
const knode = await startKnode({
  dataDir,
  memory: mode === 'memory',
  apiPort: 0,
  gatewayPort: 0,
  logLevel: 'warn',
})

const apiVersion = 'eventing.knative.dev/v1'
await knode.client.create<Broker>({
  apiVersion,
  kind: 'Broker',
  metadata: { name: 'b', namespace: 'default' },
  spec: {},
})
const trigger = (name: string, type: string): Trigger => ({
  apiVersion,
  kind: 'Trigger',
  metadata: { name, namespace: 'default' },
  spec: { broker: 'b', filters: [{ exact: { type } }], subscriber: { uri: subscriber } },
})
for (let index = 0; index < Number(matching); index++)
  await knode.client.create(trigger(`t${index}`, 'dev.knode.bench'))
for (let index = 0; index < Number(others); index++) await knode.client.create(trigger(`o${index}`, `other.${index}`))
for (let ready = 0; ready < Number(matching) + Number(others); await wait(20)) {
  const triggers = await knode.client.list<Trigger>('Trigger.eventing.knative.dev', 'default')
  ready = triggers.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  ).length
}
console.log(`ready ${knode.gatewayUrl}/default/b`)

process.stdin.on('data', () => undefined)
process.stdin.on('end', () => {
  const stop = async (): Promise<void> => {
    await knode[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
    process.exit(0)
  }
  void stop()
})
