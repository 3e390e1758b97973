// kill -9 at any instant: every change that was acknowledged is there when the store opens again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../src/base/random.ts'
import { openResourceStore } from '../../src/ports/resource-store/open.ts'

const kills = 15
const seed = Number(process.env['SEED'] ?? 20_261)

/** Changes before a kill, at least. */
const writesMin = 10

/** What may be stored under a name: the value acknowledged last, and one that was under way at the kill. */
interface Expected {
  acknowledged: string
  underWay?: string
}

test(`the resource store loses nothing acknowledged over ${kills} kills (seed ${seed})`, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'knode-kill-'))
  const random = seededRandom(seed)
  const expected = new Map<string, Expected>()
  let revision = 0
  let acknowledged = 0
  for (let life = 0; life < kills; life++) {
    const killAfter = writesMin + Math.floor(random.next() ** 2 * 150)
    acknowledged += await writeUntilKilled({ directory, life, killAfter, delayMs: random.next() * 5, expected })
    revision = await verify(directory, expected, revision)
  }
  await rm(directory, { recursive: true })
  context.diagnostic(`${acknowledged} changes acknowledged, newest revision ${revision}`)
  assert.ok(acknowledged >= kills * writesMin)
})

async function writeUntilKilled(options: {
  directory: string
  life: number
  /** The kill comes with that acknowledgement, while others are on their way … */
  killAfter: number
  /** … or a little later, in milliseconds. */
  delayMs: number
  expected: Map<string, Expected>
}): Promise<number> {
  const { directory, life, killAfter, delayMs, expected } = options
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-writer.ts'), directory, `life${life}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let acknowledged = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [step, name = '', value = ''] = line.split(' ')
    if (step === 'begin') {
      expected.set(name, { acknowledged: expected.get(name)?.acknowledged ?? 'none', underWay: value })
      continue
    }
    expected.set(name, { acknowledged: value })
    // The delay runs while lines go on arriving.
    if (++acknowledged === killAfter) void setTimeout(delayMs).then(() => child.kill('SIGKILL'))
  }
  const [code, signal] = (await ended) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with code ${code}`)
  return acknowledged
}

async function verify(directory: string, expected: Map<string, Expected>, revisionMin: number): Promise<number> {
  await using store = await openResourceStore({ driver: 'embedded', directory })
  const revision = Number(await store.revision())
  assert.ok(revision >= revisionMin, 'revisions never go back')
  for (const [name, { acknowledged, underWay }] of expected) {
    const stored = await store.get({ resource: 'configmaps', namespace: 'default', name })
    const { text } = (stored?.spec ?? { text: 'none' }) as { text: string }
    const [value = '', filling = ''] = text.split(' ')
    assert.ok([acknowledged, underWay].includes(value), `${name}: ${value}, not ${acknowledged} or ${underWay}`)
    if (stored !== undefined) {
      assert.equal(filling.length, 2 * (Number.parseInt(value.slice(-3), 16) || 1), `${name} is whole`)
      assert.ok(Number(stored.metadata.resourceVersion) <= revision)
    }
    expected.set(name, { acknowledged: value })
  }
  return revision
}
