// kill -9 of a whole `knode up` while many clients send: every event it acknowledged reaches the subscriber of every
// Trigger, also those that had failed there before, and first in order where order was asked for.
import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
import { seededRandom } from '../../src/base/random.ts'
import { openApiClient } from '../../src/cli/api-client.ts'
import { findConnection } from '../../src/cli/connection.ts'
import { startKnodeProcess } from '../harness/knode-process.ts'
import type { KnodeProcess } from '../harness/knode-process.ts'
import { startSubscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const kills = Number(process.env['KNODE_UP_KILLS'] ?? 100)
const seed = Number(process.env['KNODE_SEED'] ?? 11)
const clients = 32
const progressEvery = 10

const triggers = [
  { name: 'steady', fails: false, annotations: {} },
  { name: 'failing', fails: true, annotations: {} },
  { name: 'ordered', fails: true, annotations: { 'knode.dev/ordering': 'subject' } },
]
const ordered = 2

test(`Knode delivers all it acknowledged over ${kills} kills of the process (seed ${seed})`, async (context) => {
  await using home = await temporaryDirectory()
  const dataDir = join(home.path, 'data')
  const random = seededRandom(seed)
  const delivered = triggers.map(() => new Map<string, number>())
  const missing = new Set<string>()
  const allSeen = Promise.withResolvers<void>()
  await using subscriber = await startSubscriber(({ path, headers }) => {
    subscriber.received.length = 0
    const id = String(headers['ce-id'])
    const at = triggers.findIndex(({ name }) => path === `/${name}`)
    // Every tenth event fails at first.
    const isFirst = triggers[at]!.fails && id.endsWith('0') && !failed[at]!.has(id)
    if (isFirst) {
      failed[at]!.add(id)
      return { status: 500 }
    }
    const seen = delivered[at]!
    seen.set(id, (seen.get(id) ?? 0) + 1)
    if (delivered.every((each) => each.has(id)) && missing.delete(id) && missing.size === 0) allSeen.resolve()
    return {}
  })
  const failed = triggers.map(() => new Set<string>())
  const acknowledged: string[] = []
  for (let life = 0; life < kills; life++) {
    await using knode = await startKnodeProcess(dataDir)
    if (life === 0) await apply(knode, subscriber.url)
    const killAfter = 1 + Math.floor(random.next() * 1_500)
    acknowledged.push(...(await sendUntilKilled(knode, `life-${life}`, killAfter)))
    if ((life + 1) % progressEvery === 0) console.log(`${life + 1} of ${kills} kills`)
  }

  for (const id of acknowledged) if (!delivered.every((each) => each.has(id))) missing.add(id)
  if (missing.size === 0) allSeen.resolve()
  const left = missing.size
  await using _knode = await startKnodeProcess(dataDir)
  const what = (): string => `what was acknowledged and not delivered to every Trigger: ${[...missing].join(', ')}`
  await inTime(allSeen.promise, what, programPatience)
  for (let client = 0; client < clients; client++) {
    // Each client waited for an answer before it sent its next event.
    const ofClient = (id: string): boolean => Number(id.split('-')[2]) === client
    const sent = acknowledged.filter(ofClient)
    const wanted = new Set(sent)
    assert.deepEqual(
      [...delivered[ordered]!.keys()].filter((id) => wanted.has(id)),
      sent,
      `order of client ${client}`,
    )
  }
  const deliveries = delivered.flatMap((each) => [...each.values()])
  const again = deliveries.reduce((sum, count) => sum + count - 1, 0)
  context.diagnostic(
    `${acknowledged.length} acknowledged, ${deliveries.length} delivered, ${again} more than once, ${left} by the last life`,
  )
  assert.ok(acknowledged.length > kills, 'the clients had time to send')
})

async function apply({ kubeconfig }: KnodeProcess, subscriberUrl: string): Promise<void> {
  const connection = await findConnection({ kubeconfig }, {})
  using client = openApiClient({ ...connection, signal: new AbortController().signal, warn: assert.fail })
  const apiVersion = 'eventing.knative.dev/v1'
  const base = `/apis/${apiVersion}/namespaces/default`
  const broker = { apiVersion, kind: 'Broker', metadata: { name: 'b' } }
  await client.call({ method: 'POST', path: `${base}/brokers`, body: broker })
  for (const { name, annotations } of triggers) {
    const delivery = { retry: 10, backoffPolicy: 'linear', backoffDelay: 'PT0.1S' }
    const spec = { broker: 'b', subscriber: { uri: `${subscriberUrl}/${name}` }, delivery }
    const body = { apiVersion, kind: 'Trigger', metadata: { name, annotations }, spec }
    await client.call({ method: 'POST', path: `${base}/triggers`, body })
  }
  const isReady = async (name: string): Promise<boolean> => {
    const { body } = await client.call<{ status?: { conditions?: { type: string; status: string }[] } }>({
      path: `${base}/triggers/${name}`,
    })
    return body.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  }
  for (const { name } of triggers) await eventually(() => isReady(name), `${name} to be Ready`, programPatience)
}

/** Sends from many sides; the kill comes with the given acknowledgement, while others are on their way. */
async function sendUntilKilled(knode: KnodeProcess, life: string, killAfter: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true })
  const acknowledged: string[] = []
  let killed: Promise<number | null> | undefined
  let broken = 0
  const send = async (client: number): Promise<void> => {
    for (let count = 0; killed === undefined; count++) {
      const id = `${life}-${client}-${count}`
      const status = await post(agent, `${knode.gateway}/default/b`, { id, subject: `client-${client}` })
      // A single broken connection is no answer, and no acknowledgement.
      broken = status === undefined ? broken + 1 : 0
      if (broken > clients && killed === undefined) assert.fail('Knode does not answer')
      if (status === undefined) continue
      assert.equal(status, 202)
      acknowledged.push(id)
      if (acknowledged.length === killAfter) killed = knode.end('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => send(client)))
  assert.equal(await killed, null)
  agent.destroy()
  return acknowledged
}

/** The status, or `undefined` when the connection breaks. */
function post(
  agent: Agent,
  url: string,
  { id, subject }: { id: string; subject: string },
): Promise<number | undefined> {
  const attributes = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/kill', 'ce-type': 'sent' }
  const headers = { ...attributes, 'ce-subject': subject }
  return new Promise((resolve) => {
    const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('close', () => resolve(response.statusCode))
    })
    request.on('error', () => resolve(undefined))
    request.end('x'.repeat(500))
  })
}
