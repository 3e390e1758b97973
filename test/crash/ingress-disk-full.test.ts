// A really full disk below a whole Knode: senders get 503 and when to come again, nothing is lost, and it heals by itself.
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import { silentLogger } from '../../src/base/log.ts'
import { postBinary } from '../harness/post-event.ts'
import { skipUnless } from '../harness/require.ts'
import { smallDisk } from '../harness/small-disk.ts'
import { startSubscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const diskBytes = 16_777_216
const apiVersion = 'eventing.knative.dev/v1'
const triggerKind = 'Trigger.eventing.knative.dev'

test('on a full disk a Broker answers 503 with Retry-After, and takes events again when there is room', async (context) => {
  await using directory = await temporaryDirectory()
  await using disk = await smallDisk(join(directory.path, 'disk'), diskBytes)
  if (!skipUnless(context, disk.isMounted, 'mounting a small tmpfs needs root on Linux')) return
  await using subscriber = await startSubscriber()
  await using knode = await startKnode({
    dataDir: join(disk.path, 'data'),
    apiPort: 0,
    gatewayPort: 0,
    log: silentLogger,
  })
  const metadata = { name: 'b', namespace: 'default' }
  await knode.client.create({ apiVersion, kind: 'Broker', metadata, spec: {} })
  await knode.client.create({
    apiVersion,
    kind: 'Trigger',
    metadata: { ...metadata, annotations: { 'knode.dev/paused': 'true' } },
    spec: { broker: 'b', subscriber: { uri: subscriber.url } },
  })
  await knode.settled()
  const ballast = join(disk.path, 'ballast')
  await writeFile(ballast, Buffer.alloc(diskBytes / 2))

  const accepted: string[] = []
  const post = async (): Promise<Response> => {
    const id = String(accepted.length)
    const response = await postBinary(`${knode.gatewayUrl}/default/b`, { id, type: 'large' }, 'x'.repeat(50_000))
    if (response.status === 202) accepted.push(id)
    return response
  }
  const untilRefused = async (): Promise<Response> => {
    for (;;) {
      const response = await post()
      if (response.status !== 202) return response
    }
  }
  const refused = await untilRefused()
  assert.equal(refused.status, 503)
  assert.match(String(refused.headers.get('retry-after')), /^\d+$/)
  assert.match(await refused.text(), /full/)
  const before = accepted.length
  assert.equal((await post()).status, 503)

  await rm(ballast)
  assert.equal((await untilRefused()).status, 503)
  assert.ok(accepted.length > before * 1.5, `${accepted.length} with room for twice ${before}`)

  // All that was taken is there.
  await knode.client.patch(triggerKind, 'default', 'b', { metadata: { annotations: { 'knode.dev/paused': 'false' } } })
  const received = await subscriber.until('/', accepted.length)
  assert.deepEqual(received.map(({ headers }) => String(headers['ce-id'])).toSorted(), accepted.toSorted())
})
