// Knode as the package has it, a process of its own. Plain JavaScript, because users run no other: for TypeScript, Node
// loads a stripper of types whose four megabytes the collector would look through, too. Prints `ready GATEWAY_URL`; every
// line on standard input is a question in JSON, answered with one.
// Usage: knode-program.mjs PACKAGE DATA_DIR disk|memory
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const [folder = '', dataDir = '', mode = 'disk'] = process.argv.slice(2)
const { startKnode } = await import(pathToFileURL(`${folder}/index.js`).href)
const memory = mode === 'memory'
const knode = await startKnode({ dataDir, memory, apiPort: 0, gatewayPort: 0, logLevel: 'error' })
/** Longest wait for objects to be Ready, in milliseconds. */
const readyMsMax = 120_000

const kindOf = ({ apiVersion, kind }) => `${kind}.${apiVersion.split('/')[0]}`
const keyOf = (object) => `${kindOf(object)}/${object.metadata.name}`
const isReady = ({ status }) => status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True')

/** Makes those objects of namespace `default` that are not there; answers when all are Ready. */
async function apply({ objects }) {
  const missing = new Set()
  for (const object of objects) {
    missing.add(keyOf(object))
    if ((await knode.client.get(kindOf(object), 'default', object.metadata.name)) !== undefined) continue
    await knode.client.create({ ...object, metadata: { ...object.metadata, namespace: 'default' } })
  }
  for (const startedMs = performance.now(); ; await wait(20)) {
    for (const kind of new Set(objects.map(kindOf))) {
      for (const object of await knode.client.list(kind, 'default')) if (isReady(object)) missing.delete(keyOf(object))
    }
    if (missing.size === 0) break
    if (performance.now() - startedMs > readyMsMax)
      throw new Error(`never Ready: ${[...missing].slice(0, 3).join(', ')}`)
  }
  await knode.settled()
  return {}
}

async function patch({ kind, namespace, name, change }) {
  await knode.client.patch(kind, namespace, name, change)
  return {}
}

/** What it holds when nothing happens, and how many timers wait. */
async function memoryInUse() {
  await knode.settled()
  await wait(2_000)
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.()
    await wait(100)
  }
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { rssBytes: process.memoryUsage.rss(), timers }
}

const answers = { apply, patch, memory: memoryInUse }
console.log(`ready ${knode.gatewayUrl}`)
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  console.log(JSON.stringify(await answers[question.ask](question)))
}
await knode[Symbol.asyncDispose]()
process.exit(0)
