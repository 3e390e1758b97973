// The file of a stream has room before events need it, so that most writes change nothing but its content.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, appendMany } from '../collector.ts'
import type { EventStream } from '../port.ts'
import { Machine, readIds, upTo } from './test-machine.ts'

const segments = (machine: Machine): string[] => machine.fileSystem.paths.filter((path) => path.endsWith('.log'))
const sizeOf = (machine: Machine, path: string): number => machine.fileSystem.contentOf(path).length

/** Appends one event after the other. @returns the sizes of the file meanwhile, as shares of what it holds. */
async function growth(machine: Machine, stream: EventStream, events: number): Promise<{ steps: number; most: number }> {
  const sizes = new Set<number>()
  let most = 0
  for (let id = 0; id < events; id++) {
    await stream.append(aMessage(String(id), { bytes: 1_000 }))
    const size = sizeOf(machine, segments(machine)[0]!)
    sizes.add(size)
    most = Math.max(most, size / stream.info().bytes)
  }
  return { steps: sizes.size, most }
}

describe('a segment', () => {
  it('grows in a few steps, to no more than twice what it holds', async () => {
    const machine = new Machine()
    await using transport = await machine.open()
    const stream = await transport.ensureStream('s')
    const { steps, most } = await growth(machine, stream, 500)
    assert.ok(steps < 20, String(steps))
    assert.equal(most, 2)
    assert.deepEqual(await readIds(stream), upTo(500))
  })

  it('grows with each write where nothing is synced', async () => {
    const machine = new Machine()
    await using transport = await machine.open('process')
    const stream = await transport.ensureStream('s')
    assert.deepEqual(await growth(machine, stream, 100), { steps: 100, most: 1 })
  })

  it('that is closed or full has its events alone', async () => {
    const machine = new Machine()
    let bytes: number
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s', { retentionBytes: 600_000 })
      for (let id = 0; id < 200; id += 5) await appendMany(stream, id, id + 5, 1_500)
      assert.ok(segments(machine).length > 3)
      bytes = stream.info().bytes
      const full = segments(machine).slice(0, -1)
      assert.ok(full.reduce((sum, path) => sum + sizeOf(machine, path), 0) < bytes)
    }
    const inAll = segments(machine).reduce((sum, path) => sum + sizeOf(machine, path), 0)
    assert.equal(inAll, bytes)
  })

  it('that was written to when the process was killed is opened without a word of its room', async () => {
    const machine = new Machine()
    const stream = await (await machine.open()).ensureStream('s')
    await appendMany(stream, 0, 10)
    const killed = machine.killed()
    assert.ok(sizeOf(killed, segments(killed)[0]!) > stream.info().bytes)
    await using transport = await killed.open()
    const again = transport.stream('s')!
    assert.deepEqual(killed.lines, [])
    assert.deepEqual(await readIds(again), upTo(10))
    await appendMany(again, 10, 20)
    assert.deepEqual(await readIds(again), upTo(20))
  })

  it('that has the beginning of an event behind its last one is cut there, and this is told', async () => {
    const machine = new Machine()
    const stream = await (await machine.open()).ensureStream('s')
    await appendMany(stream, 0, 10)
    const { bytes } = stream.info()
    const killed = machine.killed()
    const path = segments(killed)[0]!
    const content = Buffer.from(killed.fileSystem.contentOf(path))
    content.copy(content, bytes, 0, 10)
    killed.fileSystem.tamper(path, content)
    await using transport = await killed.open()
    assert.deepEqual(await readIds(transport.stream('s')!), upTo(10))
    const told = killed.lines.filter(({ msg }) => msg === 'unfinished write cut off')
    assert.deepEqual(
      told.map(({ stream: name, position }) => [name, position]),
      [['s', bytes]],
    )
  })
})
