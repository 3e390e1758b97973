// What a stream keeps on its shelf.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { silentLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import { aMessage } from '../collector.ts'
import { frameBytesMax, writeFrame } from './frame.ts'
import { SegmentShelf } from './segment-shelf.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

async function shelfWithOneEvent(): Promise<{ shelf: SegmentShelf; fileSystem: SimulatedFileSystem; path: string }> {
  const random = seededRandom(1)
  const fileSystem = new SimulatedFileSystem(random)
  const options = { directory: '/s', fileSystem, random, log: silentLogger, synced: true }
  const shelf = new SegmentShelf({ ...options, segments: [], nextOffset: 0, hasSpare: false })
  const { segment, file } = await shelf.makeSegment(0)
  const message = aMessage('0')
  const frame = Buffer.alloc(frameBytesMax(message))
  const bytes = writeFrame(frame, 0, { salt: segment.salt, offset: 0, appendedMs: 5 }, message)
  await file.write(frame.subarray(0, bytes), 0)
  segment.grow([{ offset: 0, position: 0, appendedMs: 5 }], 1, bytes, 5)
  return { shelf, fileSystem, path: segment.path }
}

it('loads events from their segment', async () => {
  const { shelf } = await shelfWithOneEvent()
  const { events, next } = await shelf.load(0)
  assert.deepEqual([events.map(({ offset }) => offset), next], [[0], 1])
})

it('calls an event expired, not damaged, when its segment goes while it is read', async () => {
  const { shelf, fileSystem, path } = await shelfWithOneEvent()
  const loading = shelf.load(0)
  shelf.dropOldest()
  fileSystem.tamper(path, Buffer.alloc(100))
  assert.deepEqual(await loading, { events: [], next: 1 })
  assert.deepEqual(shelf.damaged, [])
})

it('makes the next segment of the file of one that went, and removes others', async () => {
  const { shelf, fileSystem } = await shelfWithOneEvent()
  await shelf.makeSegment(1)
  await shelf.makeSegment(2)
  shelf.dropOldest()
  shelf.dropOldest()
  await shelf.close()
  assert.equal(fileSystem.paths.length, 2)
  const { segment } = await shelf.makeSegment(3)
  assert.deepEqual(fileSystem.paths.at(-1), segment.path)
  assert.equal(fileSystem.paths.length, 2)
  assert.ok(fileSystem.contentOf(segment.path).length > 0)
})
