// What is torn, changed or lost on disk: never a lost acknowledged event, never a wrong one, never a silent gap.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { eventually } from '../../../base/eventually.ts'
import { encodeRecord } from '../../../model/cloudevents/record.ts'
import { aMessage, appendMany, Collector } from '../collector.ts'
import type { Offset, StreamOptions } from '../port.ts'
import { Machine, offsetsIn, readIds, upTo } from './test-machine.ts'

const flips = Number(process.env['KNODE_FLIPS'] ?? 150)

describe('a torn write', () => {
  it('at every byte of the last events is cut off, and what was whole stays', async () => {
    const machine = new Machine()
    const transport = await machine.open()
    const stream = await transport.ensureStream('s')
    await appendMany(stream, 0, 3)
    await machine.clock.advance(2_000)
    const segment = machine.pathOf(/\.log$/)
    const safeBytes = stream.info().bytes
    await appendMany(stream, 3, 6)
    const whole = machine.fileSystem.contentOf(segment).subarray(0, stream.info().bytes)
    const frameBytes = (whole.length - safeBytes) / 3
    const journal = machine.fileSystem.contentOf(machine.pathOf(/journal$/))
    const tails: [name: string, tail: (bytes: number) => Buffer][] = [
      ['missing', () => Buffer.alloc(0)],
      ['zeros', (bytes) => Buffer.alloc(bytes)],
      ['garbage', (bytes) => Buffer.from(Uint8Array.from({ length: bytes }, () => machine.random.next() * 256))],
    ]
    for (let cut = safeBytes; cut < whole.length; cut++) {
      for (const [name, tail] of tails) {
        const next = machine.killed()
        next.fileSystem.tamper(segment, Buffer.concat([whole.subarray(0, cut), tail(whole.length - cut)]))
        next.fileSystem.tamper(next.pathOf(/journal$/), journal)
        const kept = 3 + Math.floor((cut - safeBytes) / frameBytes)
        for (const length of [kept, kept + 1]) {
          await using reopened = await next.open()
          const again = reopened.stream('s')!
          assert.deepEqual(await readIds(again), upTo(length), `cut at ${cut}, then ${name}`)
          assert.deepEqual(again.info().damaged, [])
          assert.equal(next.fileSystem.contentOf(segment).length, safeBytes + frameBytes * (length - 3))
          if (length === kept) assert.equal(await again.append(aMessage(String(kept))), kept)
        }
      }
    }
  })
})

describe('a flipped bit', () => {
  it(`anywhere in a segment is told with stream, segment and place, and hides no other event (${flips} flips)`, async () => {
    const machine = new Machine()
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s', { retentionBytes: 520_000 })
      await stream.consume('c', { handle: () => undefined, inFlightMax: 1 })
      for (let id = 0; id < 200; id += 20) await appendMany(stream, id, id + 20, 1_500)
    }
    const segments = machine.fileSystem.paths.filter((path) => path.endsWith('.log'))
    assert.ok(segments.length > 3)
    for (let flip = 0; flip < flips; flip++) {
      const next = machine.killed()
      const segment = segments[Math.floor(machine.random.next() * segments.length)]!
      const position = Math.floor(machine.random.next() * next.fileSystem.contentOf(segment).length)
      next.flipBit(segment, position, Math.floor(machine.random.next() * 8))
      for (let opening = 0; opening < 2; opening++) {
        next.lines.length = 0
        await using transport = await next.open()
        const stream = transport.stream('s')!
        const { damaged, nextOffset } = stream.info()
        assert.equal(nextOffset, 200 + opening)
        const ids = await readIds(stream)
        assert.deepEqual(
          [...ids, ...offsetsIn(damaged)].sort((one, other) => one - other),
          upTo(200 + opening),
        )
        assert.equal(offsetsIn(damaged).length, 1, `flip ${flip} in ${segment} at ${position}`)
        const { stream: name, segment: file, position: at } = next.corruptions[0]!
        assert.deepEqual([next.corruptions.length, name], [1, 's'])
        assert.ok(segment.endsWith(String(file)) && Number(at) <= position && position < Number(at) + 1_800)
        const taken = new Collector((delivery) => delivery.ack())
        const consumption = await stream.consume('c', { handle: taken.handle })
        await eventually(() => stream.info().consumers[0]!.lag === 0, 'no lag')
        if (opening === 0) {
          assert.deepEqual(taken.offsets, ids)
          assert.equal(await stream.append(aMessage('200', { bytes: 1_500 })), 200)
        }
        await consumption[Symbol.asyncDispose]()
      }
    }
  })

  it('after opening is found when the event is read, and told', async () => {
    const machine = new Machine()
    await using transport = await machine.open()
    const stream = await transport.ensureStream('s')
    await appendMany(stream, 0, 100, 1_000)
    machine.flipBit(machine.pathOf(/\.log$/), 50_000, 3)
    const ids = await readIds(stream)
    assert.equal(ids.length, 99)
    assert.deepEqual(
      [...ids, ...offsetsIn(stream.info().damaged)].sort((one, other) => one - other),
      upTo(100),
    )
    assert.equal(machine.corruptions.length, 1)
    await readIds(stream)
    assert.equal(machine.corruptions.length, 1)
  })

  it('in the last event that was safe is damage, not an unfinished write', async () => {
    const machine = new Machine()
    {
      await using transport = await machine.open()
      await appendMany(await transport.ensureStream('s'), 0, 10)
    }
    const segment = machine.pathOf(/\.log$/)
    machine.flipBit(segment, machine.fileSystem.contentOf(segment).length - 1, 0)
    {
      await using transport = await machine.open()
      const stream = transport.stream('s')!
      assert.deepEqual(offsetsIn(stream.info().damaged), [9])
      assert.equal(await stream.append(aMessage('10')), 10)
    }
    await using transport = await machine.open()
    const stream = transport.stream('s')!
    assert.deepEqual(await readIds(stream), [...upTo(9), 10])
    assert.deepEqual(offsetsIn(stream.info().damaged), [9])
  })

  it(`in the consumers' journal makes nobody miss an event (${flips} flips)`, async () => {
    const machine = new Machine()
    const unsettled = new Set<Offset>()
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s')
      const taken = new Collector((delivery) => {
        const chance = machine.random.next()
        if (chance < 0.7) return delivery.ack()
        if (chance < 0.8) delivery.retryLater(1_000)
        unsettled.add(delivery.offset)
      })
      await stream.consume('c', { handle: taken.handle, inFlightMax: 1_000 })
      for (let id = 0; id < 60; id += 3) {
        await appendMany(stream, id, id + 3)
        await taken.has(id + 3)
        if (machine.random.next() < 0.5) await machine.clock.advance(60)
      }
    }
    const journal = machine.pathOf(/journal$/)
    const size = machine.fileSystem.contentOf(journal).length
    for (let flip = 0; flip < flips; flip++) {
      const next = machine.killed()
      next.flipBit(journal, Math.floor(machine.random.next() * size), Math.floor(machine.random.next() * 8))
      await using transport = await next.open()
      const stream = transport.stream('s')!
      const taken = new Collector()
      await stream.consume('c', { handle: taken.handle, inFlightMax: 1_000, from: 'earliest' })
      await next.clock.advance(5_000)
      await eventually(() => taken.deliveries.length === stream.info().consumers[0]!.lag, 'all to be delivered')
      for (const offset of unsettled) assert.ok(taken.offsets.includes(offset), `flip ${flip} loses ${offset}`)
      assert.equal(stream.info().nextOffset, 60)
    }
  })

  it(`in the consumers' journal repeats nothing when it was just written anew (${flips} flips)`, async () => {
    const machine = new Machine()
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s')
      const taken = new Collector((delivery) => delivery.offset % 3 === 0 || delivery.ack())
      await stream.consume('c', { handle: taken.handle, inFlightMax: 1_000 })
      await appendMany(stream, 0, 60)
      await taken.has(60)
    }
    await (await machine.open())[Symbol.asyncDispose]()
    const journal = machine.pathOf(/journal$/)
    const size = machine.fileSystem.contentOf(journal).length
    for (let flip = 0; flip < flips; flip++) {
      const next = machine.killed()
      next.flipBit(journal, Math.floor(machine.random.next() * size), Math.floor(machine.random.next() * 8))
      await using transport = await next.open()
      const stream = transport.stream('s')!
      const taken = new Collector()
      await stream.consume('c', { handle: taken.handle, inFlightMax: 1_000 })
      await eventually(() => taken.deliveries.length === stream.info().consumers[0]!.lag, 'all to be delivered')
      assert.deepEqual(
        taken.offsets,
        upTo(60).filter((offset) => offset % 3 === 0),
      )
    }
  })

  it("anywhere in the stream's own file leaves the stream to be found by its name", async () => {
    const machine = new Machine()
    {
      await using transport = await machine.open()
      await appendMany(await transport.ensureStream('shop/orders'), 0, 5)
    }
    const facts = machine.pathOf(/\/stream$/)
    for (let position = 0; position < machine.fileSystem.contentOf(facts).length; position++) {
      const next = machine.killed()
      next.flipBit(facts, position, 2)
      await using transport = await next.open()
      assert.deepEqual(await readIds(await transport.ensureStream('shop/orders')), upTo(5))
      assert.deepEqual(
        transport.streams().map(({ name }) => name),
        ['shop/orders'],
      )
    }
  })
})

describe('lost files', () => {
  it('are told as damage, and everything around them is served', async () => {
    const machine = new Machine()
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s', { retentionBytes: 520_000 })
      await stream.consume('c', { handle: () => undefined, inFlightMax: 1 })
      for (let id = 0; id < 200; id += 20) await appendMany(stream, id, id + 20, 1_500)
    }
    const segments = machine.fileSystem.paths.filter((path) => path.endsWith('.log'))
    await machine.fileSystem.remove(segments[1]!)
    await using transport = await machine.open()
    const stream = transport.stream('s')!
    const ids = await readIds(stream)
    assert.ok(ids.length < 200)
    assert.deepEqual(
      [...ids, ...offsetsIn(stream.info().damaged)].sort((one, other) => one - other),
      upTo(200),
    )
    const taken = new Collector((delivery) => delivery.ack())
    await stream.consume('c', { handle: taken.handle })
    await eventually(() => stream.info().consumers[0]!.lag === 0, 'no lag')
    assert.deepEqual(taken.offsets, ids)
  })
})

describe('bytes that look like an event', () => {
  it('inside another event are never taken for one, even when the outer one is damaged', async () => {
    const machine = new Machine()
    let segment = ''
    {
      await using transport = await machine.open()
      const stream = await transport.ensureStream('s')
      await stream.append(aMessage('0'))
      segment = machine.pathOf(/\.log$/)
      // A sender who knows the format and the place, but not the salt.
      const forged = Buffer.concat([
        machine.fileSystem.contentOf(segment).subarray(0, 20),
        encodeRecord(aMessage('forged')),
      ])
      forged.writeUInt32LE(forged.length - 8, 0)
      forged.writeUIntLE(2, 8, 6)
      forged.writeUInt32LE(crc32(forged.subarray(8)), 4)
      const message = aMessage('1')
      await stream.append({ ...message, event: { ...message.event, data: forged } })
      await stream.append(aMessage('2'))
    }
    const first = machine.fileSystem.contentOf(segment).readUInt32LE(0) + 8
    machine.flipBit(segment, first, 0)
    await using transport = await machine.open()
    const stream = transport.stream('s')!
    assert.deepEqual(await readIds(stream), [0, 2])
    assert.deepEqual(offsetsIn(stream.info().damaged), [1])
  })

  it('of a file used again never come back', async () => {
    const machine = new Machine()
    const options: StreamOptions = { retentionBytes: 300_000 }
    let first = 0
    {
      const transport = await machine.open()
      const stream = await transport.ensureStream('s', options)
      for (let id = 0; id < 1_000; id += 10) {
        await appendMany(stream, id, id + 10, 1_500)
        await eventually(() => stream.info().bytes < 450_000, 'old events to go')
      }
      first = stream.info().firstOffset
      assert.ok(first > 700)
    }
    for (const crash of ['process', 'power'] as const) {
      const next = new Machine()
      next.fileSystem = machine.fileSystem.copyAfter(crash)
      await using transport = await next.open()
      const stream = transport.stream('s')!
      const ids = await readIds(stream)
      assert.equal(ids.at(-1), 999)
      assert.ok(ids[0]! <= first)
      assert.deepEqual(ids, upTo(1_000).slice(ids[0]))
      assert.deepEqual(stream.info().damaged, [])
    }
  })
})
