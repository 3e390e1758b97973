// The embedded store keeps the contract, survives restarts, and tells a torn end from hurt data.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inTime } from '../../../base/eventually.ts'
import { createLogger } from '../../../base/log.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { itKeepsTheStoreContract } from '../contract.ts'
import { openResourceStore } from '../open.ts'
import type { ResourceKey } from '../port.ts'
import { openJournalStore } from './open.ts'

describe('journal store', () => {
  itKeepsTheStoreContract(async (options) => {
    const { directory, [Symbol.asyncDispose]: remove } = await aDirectory()
    const store = await openResourceStore({ driver: 'embedded', directory, ...options })
    const close = store[Symbol.asyncDispose].bind(store)
    return Object.assign(store, { [Symbol.asyncDispose]: () => close().then(remove) })
  })

  describe('restarts', () => {
    it('bring back every object as it was, and only those', async () => {
      await using home = await aDirectory()
      const written = await withStore(home.directory, async (store) => {
        await store.put(key('a'), aConfigMap('one'))
        await store.put(key('gone'), aConfigMap('x'))
        await store.delete(key('gone'))
        return [await store.put(key('a'), aConfigMap('two')), await store.put(key('b'), aConfigMap('渴了'))]
      })
      assert.deepEqual(await withStore(home.directory, async (store) => (await store.list({})).items), written)
    })

    it('go on counting revisions, even when the newest change was a deletion', async () => {
      await using home = await aDirectory()
      const last = await withStore(home.directory, async (store) => {
        await store.put(key('a'), aConfigMap('one'))
        return (await store.delete(key('a')))!.metadata.resourceVersion!
      })
      await withStore(home.directory, async (store) => assert.equal(await store.revision(), last))
      await withStore(home.directory, async (store) => {
        const next = await store.put(key('a'), aConfigMap('two'))
        assert.ok(Number(next.metadata.resourceVersion) > Number(last))
      })
    })

    it('leave no history before them: a watch from there is told so', async () => {
      await using home = await aDirectory()
      const old = await withStore(home.directory, async (store) => {
        const from = await store.revision()
        await store.put(key('a'), aConfigMap('one'))
        return from
      })
      await using store = await openJournalStore({ directory: home.directory })
      const { signal } = new AbortController()
      const first = store.watch({}, { from: old, signal })[Symbol.asyncIterator]().next()
      await assert.rejects(inTime(first, 'the refusal'), { code: 'GONE' })
      const watched = store.watch({}, { from: await store.revision(), signal })[Symbol.asyncIterator]()
      const next = watched.next()
      await store.put(key('b'), aConfigMap('two'))
      assert.equal((await inTime(next, 'the change')).value?.key.name, 'b')
    })

    it('keep the files to their owner: Secrets are in them', async () => {
      await using home = await aDirectory()
      const directory = join(home.directory, 'resources')
      await withStore(directory, async (store) => void (await store.put(key('a'), aConfigMap('one'))))
      assert.equal((await stat(directory)).mode & 0o777, 0o700)
      assert.equal((await stat(await journalIn(directory))).mode & 0o777, 0o600)
    })
  })

  describe('outdated lines', () => {
    it('are left behind when they outweigh the live ones', async () => {
      await using home = await aDirectory()
      const write = async (): Promise<void> => {
        await using store = await openJournalStore({ directory: home.directory, outdatedBytesMax: 20_000 })
        for (let index = 0; index < 500; index++) await store.put(key(`k${index % 5}`), aConfigMap(`v${index}`))
        assert.ok((await stat(await journalIn(home.directory))).size < 30_000)
      }
      await write()
      await write()
      await withStore(home.directory, async (store) => {
        const { items, revision } = await store.list({})
        assert.deepEqual(
          items.map(({ spec }) => spec),
          [495, 496, 497, 498, 499].map((v) => ({ text: `v${v}` })),
        )
        assert.equal(revision, '1001')
      })
    })

    it('leave exactly one file behind, whatever an earlier crash left', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => void (await store.put(key('a'), aConfigMap('one'))))
      await writeFile(join(home.directory, 'resources-0000000002.journal.tmp'), 'half a file')
      await withStore(home.directory, async (store) => assert.equal((await store.list({})).items.length, 1))
      assert.deepEqual(await readdir(home.directory), ['resources-0000000001.journal'])
    })
  })

  describe('damage', () => {
    it('at the end that a crash tore off is cut, at every byte of it', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => void (await store.put(key('a'), aConfigMap('one'))))
      const path = await journalIn(home.directory)
      const sound = await readFile(path)
      await withStore(home.directory, async (store) => void (await store.put(key('b'), aConfigMap('two'))))
      const whole = await readFile(path)
      for (let length = sound.length; length < whole.length; length++) {
        await writeFile(path, whole.subarray(0, length))
        await withStore(home.directory, async (store) => {
          assert.deepEqual(
            (await store.list({})).items.map(({ spec }) => spec),
            [{ text: 'one' }],
            `cut at ${length}`,
          )
        })
        assert.deepEqual(await readFile(path), sound)
      }
    })

    it('at the end is told in the log', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => void (await store.put(key('a'), aConfigMap('one'))))
      const path = await journalIn(home.directory)
      await writeFile(path, `${await readFile(path, 'utf8')}half a li`)
      const lines: string[] = []
      await using store = await openJournalStore({
        directory: home.directory,
        log: createLogger({ write: (line) => void lines.push(line) }),
      })
      assert.equal((await store.list({})).items.length, 1)
      assert.match(lines.join(''), /"cut changes .*"bytes":9/)
    })

    it('inside a last commit of several changes cuts that commit from there on', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => {
        await store.put(key('a'), aConfigMap('one'))
        await Promise.all(['b', 'c', 'd'].map((name) => store.put(key(name), aConfigMap(name))))
      })
      const path = await journalIn(home.directory)
      const lines = (await readFile(path, 'utf8')).split('\n')
      assert.match(lines[3]!, /"c"/)
      // Blocks of one write reach the disk in any order: here the third line did not, the fourth did.
      lines[3] = '\u0000'.repeat(lines[3]!.length)
      await writeFile(path, lines.join('\n'))
      await withStore(home.directory, async (store) => {
        assert.deepEqual(
          (await store.list({})).items.map(({ spec }) => spec),
          [{ text: 'one' }, { text: 'b' }],
        )
      })
    })

    it('to a change that was acknowledged is refused, naming the line', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => {
        for (const name of ['a', 'b', 'c']) await store.put(key(name), aConfigMap(name))
      })
      const path = await journalIn(home.directory)
      const bytes = await readFile(path)
      bytes[bytes.indexOf('"b"')]! ^= 0x01
      await writeFile(path, bytes)
      const refusal = { code: 'STORE_FAILED', message: `${path} is damaged in line 3, byte ${lineStart(bytes, 3)}` }
      await assert.rejects(openJournalStore({ directory: home.directory }), refusal)
      assert.deepEqual(await readFile(path), bytes, 'the evidence is left as it was')

      const repaired = bytes.toString('latin1').split('\n').toSpliced(2, 1).join('\n')
      await writeFile(path, repaired, 'latin1')
      await withStore(home.directory, async (store) => {
        assert.deepEqual(
          (await store.list({})).items.map(({ spec }) => spec),
          [{ text: 'a' }, { text: 'c' }],
        )
      })
    })

    it('to the state a file begins with is refused', async () => {
      await using home = await aDirectory()
      await withStore(home.directory, async (store) => void (await store.put(key('a'), aConfigMap('one'))))
      const path = await journalIn(home.directory)
      for (const content of ['', 'hello', 'hello\nworld\n']) {
        await writeFile(path, content)
        await assert.rejects(openJournalStore({ directory: home.directory }), {
          code: 'STORE_FAILED',
          message: `${path} is damaged in line 1, byte 0`,
        })
      }
    })

    it('is not what a newer version of the format is', async () => {
      await using home = await aDirectory()
      const json = '{"format":"knode resource journal","version":2,"revision":1,"objects":0}'
      const { crc32 } = await import('node:zlib')
      const path = join(home.directory, 'resources-0000000001.journal')
      await writeFile(path, `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`)
      await assert.rejects(openJournalStore({ directory: home.directory }), {
        message: `${path} has version 2, this Knode reads 1`,
      })
    })
  })

  it('says what is wrong when its directory cannot be used', async () => {
    await using home = await aDirectory()
    await writeFile(join(home.directory, 'file'), '')
    const directory = join(home.directory, 'file')
    await assert.rejects(openJournalStore({ directory }), {
      code: 'STORE_FAILED',
      message: /cannot open the resource store in/,
    })
  })
})

const key = (name: string): ResourceKey => ({ resource: 'configmaps', namespace: 'default', name })
const aConfigMap = (text: string): Resource => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'default' },
  spec: { text },
})

type Store = Awaited<ReturnType<typeof openJournalStore>>

async function withStore<Result>(directory: string, use: (store: Store) => Promise<Result>): Promise<Result> {
  await using store = await openJournalStore({ directory })
  return await use(store)
}

async function aDirectory(): Promise<AsyncDisposable & { directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'knode-journal-'))
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

async function journalIn(directory: string): Promise<string> {
  const [name] = await readdir(directory)
  return join(directory, name!)
}

function lineStart(bytes: Buffer, line: number): number {
  let start = 0
  for (let at = 1; at < line; at++) start = bytes.indexOf('\n', start) + 1
  return start
}
