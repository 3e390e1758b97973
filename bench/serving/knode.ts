// Knode itself, a process of its own, that makes Services when it is asked. Prints `ready GATEWAY_URL`; every line on
// standard input is a question in JSON, answered with one. Usage: knode.ts
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { startKnode } from '../../src/app/start-knode.ts'
import { createLogger } from '../../src/base/log.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'

/** Services at zero, Ready when the answer comes. */
interface ServicesQuestion {
  ask: 'services'
  names: string[]
  annotations: Record<string, string>
  image: string
  containerConcurrency: number
}

type Question = ServicesQuestion | { ask: 'memory' }

const dataDir = await mkdtemp(join(tmpdir(), 'knode-bench-'))
const knode = await startKnode({ dataDir, apiPort: 0, gatewayPort: 0, log: createLogger({ level: 'error' }) })
await knode.client.patch('ConfigMap', 'knative-serving', 'config-autoscaler', {
  data: { 'allow-zero-initial-scale': 'true' },
})

async function makeServices({ names, annotations, image, containerConcurrency }: ServicesQuestion): Promise<object> {
  for (const name of names) {
    await knode.client.create({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: {
        template: {
          metadata: { annotations: { 'autoscaling.knative.dev/initial-scale': '0', ...annotations } },
          spec: { containerConcurrency, containers: [{ image }] },
        },
      },
    })
  }
  const missing = new Set(names)
  const deadlineMs = performance.now() + 120_000
  while (missing.size > 0) {
    for (const service of await knode.client.list<Resource>('Service.serving.knative.dev', 'default')) {
      const { conditions = [] } = (service.status ?? {}) as { conditions?: { type: string; status: string }[] }
      if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) {
        missing.delete(service.metadata.name)
      }
    }
    if (missing.size === 0) break
    if (performance.now() > deadlineMs) throw new Error(`never Ready: ${[...missing].slice(0, 3).join(', ')}`)
    await wait(50)
  }
  await knode.settled()
  return {}
}

/** What it holds when nothing happens, and how many timers wait. */
async function memory(): Promise<object> {
  await knode.settled()
  await wait(2_000)
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.()
    await wait(100)
  }
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { rssBytes: process.memoryUsage.rss(), timers }
}

console.log(`ready ${knode.gatewayUrl}/`)
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question
  console.log(JSON.stringify(question.ask === 'services' ? await makeServices(question) : await memory()))
}
await knode[Symbol.asyncDispose]()
await rm(dataDir, { recursive: true, force: true })
process.exit(0)
