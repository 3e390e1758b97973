// kill -9 of a whole `knode up` during a burst of writes: what the API acknowledged is there after the restart.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { openApiClient } from '../../src/cli/api-client.ts'
import type { ApiClient } from '../../src/cli/api-client.ts'
import { findConnection } from '../../src/cli/connection.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { startKnodeProcess } from '../harness/knode-process.ts'
import type { KnodeProcess } from '../harness/knode-process.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const kills = 4
const writers = 8
const seed = Number(process.env['SEED'] ?? 20_262)

test(`no object the API acknowledged is lost over ${kills} kills of the process (seed ${seed})`, async (context) => {
  await using home = await temporaryDirectory()
  const dataDir = join(home.path, 'data')
  const random = seededRandom(seed)
  const acknowledged = new Map<string, string>()
  for (let life = 0; life < kills; life++) {
    await using knode = await startKnodeProcess(dataDir)
    await checkAll(knode, acknowledged)
    await writeUntilKilled(knode, `life-${life}`, 20 + Math.floor(random.next() * 200), acknowledged)
  }
  await using knode = await startKnodeProcess(dataDir)
  await checkAll(knode, acknowledged)
  context.diagnostic(`${acknowledged.size} objects acknowledged`)
  assert.ok(acknowledged.size >= kills * 20)
})

async function clientOf({ kubeconfig }: KnodeProcess): Promise<ApiClient> {
  const connection = await findConnection({ kubeconfig }, {})
  return openApiClient({ ...connection, signal: new AbortController().signal, warn: assert.fail })
}

const path = '/api/v1/namespaces/default/configmaps'

/** Writes from many sides; the kill comes with the given acknowledgement, while others are on their way. */
async function writeUntilKilled(
  knode: KnodeProcess,
  life: string,
  killAfter: number,
  acknowledged: Map<string, string>,
): Promise<void> {
  using client = await clientOf(knode)
  let count = 0
  let killed: Promise<number | null> | undefined
  const write = async (writer: number): Promise<void> => {
    for (let number = 0; killed === undefined; number++) {
      const name = `${life}-${writer}-${number}`
      const text = name.repeat(1 + (number % 50))
      try {
        await client.call({ method: 'POST', path, body: { metadata: { name }, data: { text } } })
      } catch (error) {
        if (killed !== undefined) return
        throw error
      }
      acknowledged.set(name, text)
      if (++count === killAfter) killed = knode.end('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  assert.equal(await killed, null)
}

async function checkAll(knode: KnodeProcess, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  using client = await clientOf(knode)
  const { body } = await client.call<{ items: (Resource & { data?: Record<string, string> })[] }>({ path })
  const stored = new Map(body.items.map(({ metadata, data }) => [metadata.name, data?.['text']]))
  const lost = [...acknowledged].filter(([name, text]) => stored.get(name) !== text).map(([name]) => name)
  assert.deepEqual(lost, [])
}
