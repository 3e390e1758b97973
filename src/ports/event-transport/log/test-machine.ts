// For tests of the log: a machine whose disk may lose, tear and change what is on it.
import assert from 'node:assert/strict'
import { FakeClock } from '../../../base/fake-clock.ts'
import { createLogger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import { seededRandom } from '../../../base/random.ts'
import { readAll } from '../collector.ts'
import { openEventTransport } from '../open.ts'
import type { DamagedRange, EventStream, EventTransport, Offset } from '../port.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

const seed = Number(process.env['KNODE_SEED'] ?? 1)

/** A machine with a log on a disk that may break in every way. */
export class Machine {
  readonly random: Random
  readonly clock = new FakeClock()
  readonly lines: Record<string, unknown>[] = []
  fileSystem: SimulatedFileSystem

  constructor() {
    this.random = seededRandom(seed)
    this.fileSystem = new SimulatedFileSystem(this.random)
  }

  open(durability: 'disk' | 'process' = 'disk'): Promise<EventTransport> {
    const write = (line: string): void => void this.lines.push(JSON.parse(line) as Record<string, unknown>)
    const { clock, random, fileSystem } = this
    const log = createLogger({ clock, write })
    return openEventTransport({ driver: 'log', directory: '/data', durability, clock, random, fileSystem, log })
  }

  pathOf(ending: RegExp): string {
    const path = this.fileSystem.paths.find((one) => ending.test(one))
    assert.ok(path !== undefined, String(ending))
    return path
  }

  /** A copy that shares nothing, as if the program had been killed now. */
  killed(): Machine {
    const copy = new Machine()
    copy.fileSystem = this.fileSystem.copyAfter('process')
    return copy
  }

  flipBit(path: string, position: number, bit: number): void {
    const content = Buffer.from(this.fileSystem.contentOf(path))
    content[position]! ^= 1 << bit
    this.fileSystem.tamper(path, content)
  }

  get corruptions(): Record<string, unknown>[] {
    return this.lines.filter(({ code }) => code === 'LOG_CORRUPT')
  }
}

export const offsetsIn = (ranges: readonly DamagedRange[]): Offset[] =>
  ranges.flatMap(({ fromOffset, toOffset }) =>
    Array.from({ length: toOffset - fromOffset }, (_, index) => fromOffset + index),
  )

/** Reads everything, checking that each event is the one that was appended there. */
export async function readIds(stream: EventStream): Promise<Offset[]> {
  const stored = await readAll(stream, 'earliest')
  for (const { offset, message } of stored) {
    assert.equal(message.event.attributes.get('id'), String(offset))
    assert.match(Buffer.from(message.event.data!).toString(), /^x*$/)
  }
  return stored.map(({ offset }) => offset)
}

/** Offsets from 0. */
export const upTo = (count: number): Offset[] => [...Array.from({ length: count }).keys()]
