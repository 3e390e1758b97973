// A disk that fails, is full or is slow to take: nothing acknowledged is lost, and what is refused is told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, appendMany, Collector } from '../collector.ts'
import type { EventStream, EventTransport, Offset } from '../port.ts'
import { systemError } from './simulated-file-system.ts'
import { Machine, readIds, upTo } from './test-machine.ts'

describe('a faulty medium', () => {
  const withStream = async (
    use: (machine: Machine, stream: EventStream, transport: EventTransport) => Promise<void>,
  ) => {
    const machine = new Machine()
    await using transport = await machine.open()
    await use(machine, await transport.ensureStream('s'), transport)
  }

  it('that writes less than asked for is asked again', async () => {
    await withStream(async (machine, stream) => {
      machine.fileSystem.faults.write = (_path, bytes) => Math.ceil(machine.random.next() * bytes)
      await appendMany(stream, 0, 200, 300)
      assert.deepEqual(await readIds(stream), upTo(200))
      assert.deepEqual(await readIds((await machine.killed().open()).stream('s')!), upTo(200))
    })
  })

  it('that is full refuses events, forgets none, and takes them again when there is room', async () => {
    await withStream(async (machine, stream) => {
      await appendMany(stream, 0, 10)
      const taken = new Collector()
      await stream.consume('c', { handle: taken.handle, from: 'earliest', inFlightMax: 5 })
      await taken.has(5)
      // Not even with the room made before is there enough for all: what was refused must not be there later.
      machine.fileSystem.bytesMax = machine.fileSystem.bytes + 3_000
      for (let attempt = 0; attempt < 3; attempt++) {
        const appended = await Promise.allSettled(
          upTo(5).map((id) => stream.append(aMessage(`x${id}`, { bytes: 2_000 }))),
        )
        const codes = appended.map((one) =>
          one.status === 'rejected' ? (one.reason as { code: string }).code : 'taken',
        )
        assert.deepEqual(
          codes,
          Array.from({ length: 5 }, () => 'TRANSPORT_FULL'),
        )
      }
      assert.deepEqual(await readIds((await machine.killed().open()).stream('s')!), upTo(10))
      // A consumer that cannot be written down would forget where it began.
      machine.fileSystem.bytesMax = 0
      await assert.rejects(stream.consume('new', { handle: taken.handle }), { code: 'TRANSPORT_FULL', retryable: true })
      assert.deepEqual(
        stream.info().consumers.map(({ name }) => name),
        ['c'],
      )
      for (const delivery of taken.deliveries) delivery.ack()
      await taken.has(10)
      assert.equal(machine.lines.filter(({ msg }) => msg === 'events are refused').length, 1)

      assert.deepEqual(await readIds((await machine.killed().open()).stream('s')!), upTo(10))
    })
    await withStream(async (machine, stream) => {
      machine.fileSystem.bytesMax = 3_000
      const taken: Offset[] = []
      for (let id = 0; id < 100; id++) {
        await stream.append(aMessage(String(taken.length), { bytes: 100 })).then(
          (offset) => taken.push(offset),
          () => (machine.fileSystem.bytesMax += 50),
        )
      }
      assert.deepEqual(taken, upTo(taken.length))
      assert.ok(taken.length > 20 && taken.length < 100)
      assert.deepEqual(await readIds((await machine.killed().open()).stream('s')!), taken)
    })
  })

  it('that is full makes no streams, and keeps nothing of them', async () => {
    await withStream(async (machine, _stream, transport) => {
      machine.fileSystem.bytesMax = 0
      await assert.rejects(transport.ensureStream('new'), { code: 'TRANSPORT_FULL', retryable: true })
      assert.equal(transport.stream('new'), undefined)
      const next = machine.killed()
      await using reopened = await next.open()
      assert.deepEqual(
        reopened.streams().map(({ name }) => name),
        ['s'],
      )
      assert.deepEqual(next.corruptions, [])
      machine.fileSystem.bytesMax = Infinity
      assert.equal(await (await transport.ensureStream('new')).append(aMessage('0')), 0)
    })
  })

  for (const code of ['EIO', 'EROFS']) {
    it(`that fails with ${code} takes nothing more until it is opened again`, async () => {
      await withStream(async (machine, stream) => {
        await appendMany(stream, 0, 10)
        machine.fileSystem.faults.write = (path) => (path.endsWith('.log') ? systemError(code) : undefined)
        const failing = [stream.append(aMessage('10')), stream.append(aMessage('11'))]
        for (const one of failing) await assert.rejects(one, { code: 'TRANSPORT_FAILED', retryable: false })
        machine.fileSystem.faults = {}
        await assert.rejects(stream.append(aMessage('12')), { code: 'TRANSPORT_FAILED' })
        assert.deepEqual(await readIds(stream), upTo(10))

        await using reopened = await machine.killed().open()
        const again = reopened.stream('s')!
        assert.deepEqual(await readIds(again), upTo(10))
        assert.equal(await again.append(aMessage('10')), 10)
      })
    })
  }

  it('whose sync fails when it is opened is not opened', async () => {
    const machine = new Machine()
    await appendMany(await (await machine.open()).ensureStream('s'), 0, 3)
    const next = machine.killed()
    next.fileSystem.faults.sync = () => systemError('EIO')
    await assert.rejects(next.open(), { code: 'TRANSPORT_FAILED', message: /\/data.*EIO/ })
    next.fileSystem.faults = {}
    assert.deepEqual(await readIds((await next.open()).stream('s')!), upTo(3))
  })

  it('that cannot sync the journal makes no consumers, and keeps taking and delivering events', async () => {
    await withStream(async (machine, stream) => {
      const taken = new Collector((delivery) => delivery.ack())
      await stream.consume('c', { handle: taken.handle })
      machine.fileSystem.faults.sync = (path) => (path.includes('journal') ? systemError('EIO') : undefined)
      await assert.rejects(stream.consume('new', { handle: taken.handle }), { code: 'TRANSPORT_FAILED' })
      await appendMany(stream, 0, 5)
      await taken.has(5)
      await machine.clock.advance(5_000)
      machine.fileSystem.faults = {}
      await machine.clock.advance(5_000)
      await using reopened = await machine.killed().open()
      assert.deepEqual(
        reopened
          .stream('s')!
          .info()
          .consumers.map(({ name, position }) => [name, position]),
        [['c', 5]],
      )
    })
  })

  it('that cannot begin a segment for a while takes events again afterwards, and loses none in later starts', async () => {
    for (let round = 0; round < 8; round++) {
      await withStream(async (machine, stream, transport) => {
        await transport.ensureStream('s', { retentionMs: 5_000 })
        await appendMany(stream, 0, 10)
        // Files are named by chance, too: in another way in each round.
        for (let draw = 0; draw < round; draw++) machine.random.next()
        // Nobody needs them any more: the segment that is written to has to make way for a new one.
        machine.fileSystem.faults.sync = (path) => (path.includes('.') ? undefined : systemError('EMFILE'))
        await machine.clock.advance(120_000)
        await assert.rejects(stream.append(aMessage('10')), { code: 'TRANSPORT_FAILED', retryable: true })
        machine.fileSystem.faults = {}
        await appendMany(stream, 10, 20)
        let next = machine
        for (let start = 1; start < 4; start++) {
          next = next.killed()
          const again = (await next.open()).stream('s')!
          assert.deepEqual(again.info().damaged, [])
          const kept = (await readIds(again)).filter((offset) => offset >= 10)
          assert.deepEqual(
            kept,
            upTo(10 * start).map((id) => 10 + id),
          )
          await appendMany(again, 10 + 10 * start, 20 + 10 * start)
        }
      })
    }
  })

  it('whose directories cannot be moved keeps a stream that was to be deleted, until it is deleted once more', async () => {
    const machine = new Machine()
    const transport = await machine.open()
    await appendMany(await transport.ensureStream('s'), 0, 3)
    const { fileSystem } = machine
    const rename = fileSystem.rename.bind(fileSystem)
    fileSystem.rename = () => Promise.reject(systemError('EIO'))
    await assert.rejects(transport.deleteStream('s'), { code: 'TRANSPORT_FAILED' })
    await assert.rejects(transport.deleteStream('s'), { code: 'TRANSPORT_FAILED' })
    fileSystem.rename = rename
    assert.deepEqual((await readIds((await machine.killed().open()).stream('s')!)).length, 3)
    await transport.deleteStream('s')
    await transport.deleteStream('s')
    assert.equal((await machine.killed().open()).stream('s'), undefined)
    assert.deepEqual(await readIds(await transport.ensureStream('s')), [])
    await transport[Symbol.asyncDispose]()
  })

  it('that cannot be read for a while delays consumers and loses nothing', async () => {
    await withStream(async (machine, stream) => {
      await appendMany(stream, 0, 100, 1_000)
      await machine.clock.advance(100) // by now nothing is kept in memory
      machine.fileSystem.faults.read = () => systemError('EIO')
      const taken = new Collector((delivery) => delivery.ack())
      await stream.consume('c', { handle: taken.handle, from: 'earliest' })
      await machine.clock.advance(3_000)
      assert.equal(taken.deliveries.length, 0)
      assert.ok(machine.lines.some(({ msg }) => msg === 'events cannot be read'))
      machine.fileSystem.faults = {}
      await machine.clock.advance(1_000)
      await taken.has(100)
      assert.deepEqual(taken.offsets, upTo(100))
    })
  })
})
