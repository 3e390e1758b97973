// A burst of viewers: Knode as a library, a Service that scales with its load, and a picture of it each second.
import { request } from 'node:http'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parse } from 'yaml'
import { startKnode } from '../../src/index.ts'
import type { Resource } from '../../src/index.ts'
import { pictureOf } from './picture.ts'

type Service = Resource & { status?: { conditions?: { type: string; status: string }[] } }
type Revision = Resource & { status?: { actualReplicas?: number } }

/** `SECONDS:VIEWERS` or `SECONDS:VIEWERS:INSTANCES` in a row: each viewer sends one event after the other. */
const stages = (process.env['LIVESTREAM'] ?? '5:1,15:60,20:1').split(',').map((stage) => {
  const [seconds = 0, viewers = 0, wanted] = stage.split(':').map(Number)
  return { seconds, viewers, wanted }
})
const instancesMax = 8

process.chdir(import.meta.dirname)
await using knode = await startKnode({ memory: true, apiPort: 0, gatewayPort: 0, logLevel: 'warn' })
const manifest = parse(await readFile(join(import.meta.dirname, 'livestream.yaml'), 'utf8')) as Resource
await knode.client.create({ ...manifest, metadata: { ...manifest.metadata, namespace: 'default' } })
while (!(await isReady())) await setTimeout(50)
console.log(`knode is up; KUBECONFIG=${knode.kubeconfigPath}`)

const gateway = new URL(knode.gatewayUrl)
let viewersWanted = 0
let underWay = 0
let latenciesMs: number[] = []
const answers = { good: 0, bad: 0 }

/** Sends one event and resolves with the status and text of its answer, or what failed. */
function react(viewer: number, id: number): Promise<string> {
  const headers = {
    host: 'event-display.default.svc.cluster.local',
    'ce-specversion': '1.0',
    'ce-id': `${viewer}-${id}`,
    'ce-source': `/viewers/${viewer}`,
    'ce-type': 'dev.knode.samples.reaction',
  }
  return new Promise((resolve) => {
    const sent = request({ host: gateway.hostname, port: gateway.port, method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text}`.trim()))
    })
    sent.on('error', (error) => resolve(error.message)).end()
  })
}

const isWatching = (viewer: number): boolean => viewer < viewersWanted

async function watch(viewer: number): Promise<void> {
  for (let id = 0; isWatching(viewer); id++) {
    const startMs = performance.now()
    underWay++
    const answer = await react(viewer, id)
    underWay--
    latenciesMs.push(performance.now() - startMs)
    if (answer === '204') answers.good++
    else {
      answers.bad++
      console.log(`viewer ${viewer} was answered: ${answer}`)
    }
  }
}

async function isReady(): Promise<boolean> {
  const service = await knode.client.get<Service>('Service.serving.knative.dev', 'default', 'event-display')
  return service?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

async function instances(): Promise<number> {
  const revisions = await knode.client.list<Revision>('Revision.serving.knative.dev', 'default')
  return revisions.reduce((sum, { status }) => sum + (status?.actualReplicas ?? 0), 0)
}

const seen: number[] = []
const watching: Promise<void>[] = []
for (const { seconds, viewers, wanted } of stages) {
  const before = viewersWanted
  viewersWanted = viewers
  for (let viewer = before; viewer < viewers; viewer++) watching.push(watch(viewer))
  for (let second = 0; second < seconds || seen.at(-1) !== (wanted ?? seen.at(-1)); second++) {
    await setTimeout(1_000)
    const now = await instances()
    seen.push(now)
    console.log(pictureOf({ load: underWay, instances: now, instancesMax, latenciesMs }))
    latenciesMs = []
  }
}
viewersWanted = 0
await Promise.all(watching)
console.log(`instances: 1 → ${Math.max(...seen)} → ${seen.at(-1)}; answers: ${answers.good} good, ${answers.bad} bad`)
