// Knode on disk, a process of its own, with one Broker and the Triggers that its argument lists, unless they are there
// already. Prints `ready URL`; a line `resume NAME` on standard input takes the pause from a Trigger and is answered with
// `resumed`. Usage: knode.ts DATA_DIR '[{"name":"t","uri":"http://…","annotations":{}}]'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { startKnode } from '../../src/app/start-knode.ts'
import { createLogger } from '../../src/base/log.ts'
import type { Broker } from '../../src/kinds/eventing/broker/schema.ts'
import type { Trigger } from '../../src/kinds/eventing/trigger/schema.ts'

interface Wanted {
  name: string
  uri: string
  annotations?: Record<string, string>
}

const [dataDir = '', triggers = '[]'] = process.argv.slice(2)
const wanted = JSON.parse(triggers) as Wanted[]
const log = createLogger({ level: 'error' })
const knode = await startKnode({ dataDir, apiPort: 0, gatewayPort: 0, log })
const kind = 'Trigger.eventing.knative.dev'
const apiVersion = 'eventing.knative.dev/v1'
const broker: Broker = { apiVersion, kind: 'Broker', metadata: { name: 'b', namespace: 'default' }, spec: {} }
if ((await knode.client.get('Broker.eventing.knative.dev', 'default', 'b')) === undefined)
  await knode.client.create(broker)
for (const { name, uri, annotations = {} } of wanted) {
  const metadata = { name, namespace: 'default', annotations }
  const trigger: Trigger = { apiVersion, kind: 'Trigger', metadata, spec: { broker: 'b', subscriber: { uri } } }
  if ((await knode.client.get(kind, 'default', name)) === undefined) await knode.client.create(trigger)
}
for (let ready = 0; ready < wanted.length; await wait(20)) {
  const triggers = await knode.client.list<Trigger>(kind, 'default')
  ready = triggers.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  ).length
}
console.log(`ready ${knode.gatewayUrl}/default/b`)

for await (const line of createInterface({ input: process.stdin })) {
  const [, name = ''] = line.split(' ')
  await knode.client.patch(kind, 'default', name, { metadata: { annotations: { 'knode.dev/paused': 'false' } } })
  console.log('resumed')
}
await knode[Symbol.asyncDispose]()
process.exit(0)
