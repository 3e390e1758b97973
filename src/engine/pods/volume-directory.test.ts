import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import type { VolumeFiles } from './volume-content.ts'
import { VolumeDirectory } from './volume-directory.ts'

const files = (contents: Record<string, string>, mode = 0o644): VolumeFiles =>
  new Map(Object.entries(contents).map(([path, text]) => [path, { content: Buffer.from(text), mode }]))

async function aDirectory() {
  const root = await mkdtemp(join(tmpdir(), 'knode-volumes-'))
  const volumes = new VolumeDirectory(join(root, 'pod'), seededRandom(1))
  const read = (path: string) => readFile(join(volumes.pathOf('v'), path), 'utf8')
  return { root, volumes, read, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

test('files have their content and permissions, and nobody else may enter the Pod’s directory', async () => {
  await using directory = await aDirectory()
  const { volumes, read, root } = directory
  assert.equal(await volumes.write('v', files({ a: 'A', 'deep/b': 'B' }, 0o666)), true)
  assert.deepEqual([await read('a'), await read('deep/b')], ['A', 'B'])
  assert.equal((await stat(join(volumes.pathOf('v'), 'a'))).mode & 0o777, 0o666)
  assert.equal((await stat(join(root, 'pod'))).mode & 0o777, 0o700)
})

test('a change replaces all files at once, what is gone is gone, and an equal one writes nothing', async () => {
  await using directory = await aDirectory()
  const { volumes, read } = directory
  await volumes.write('v', files({ a: 'A', b: 'B' }))
  assert.equal(await volumes.write('v', files({ a: 'A', b: 'B' })), false)
  assert.equal(await volumes.write('v', files({ a: 'new', c: 'C' })), true)
  assert.deepEqual([await read('a'), await read('c')], ['new', 'C'])
  await assert.rejects(read('b'), { code: 'ENOENT' })
  const visible = (await readdir(volumes.pathOf('v'))).filter((name) => !name.startsWith('..'))
  assert.deepEqual(visible.sort(), ['a', 'c'])
  const versions = (await readdir(volumes.pathOf('v'))).filter((name) => /^\.\.[^d]/.test(name))
  assert.equal(versions.length, 1, 'no old version is left')
})

test('a later Knode takes over what an earlier one has written', async () => {
  await using directory = await aDirectory()
  await directory.volumes.write('v', files({ a: 'A', b: 'B' }))
  const later = new VolumeDirectory(join(directory.root, 'pod'), seededRandom(2))
  await later.write('v', files({ a: 'later' }))
  assert.equal(await directory.read('a'), 'later')
  await assert.rejects(directory.read('b'), { code: 'ENOENT' })
})

test('secrets go while a Pod’s own directories stay, or everything does', async () => {
  await using directory = await aDirectory()
  const { volumes, read, root } = directory
  const own = await volumes.make('own')
  await writeFile(join(own, 'kept'), 'x')
  await volumes.write('v', files({ a: 'A' }))
  await volumes.removeWritten()
  await assert.rejects(read('a'), { code: 'ENOENT' })
  assert.equal(await readFile(join(own, 'kept'), 'utf8'), 'x')
  await volumes.removeAll()
  assert.deepEqual(await readdir(root), [])
})

test('no file is written outside of its volume, and a failed change leaves nothing behind', async () => {
  await using directory = await aDirectory()
  const { volumes, root } = directory
  await volumes.write('v', files({ a: 'A' }))
  for (const path of ['../../../out', '..', '/etc/out', 'a/../../../../out', '..data', '']) {
    await assert.rejects(volumes.write('v', files({ b: 'B', [path]: 'x' })), { code: 'WORKLOAD_FAILED' }, path)
  }
  await assert.rejects(volumes.write('v', files({ b: 'B', 'b/c': 'x' })))
  assert.deepEqual(await readdir(root), ['pod'])
  assert.deepEqual(await readdir(join(root, 'pod')), ['v'])
  const found = await readdir(volumes.pathOf('v'))
  assert.equal(found.filter((name) => name.startsWith('..') && name !== '..data').length, 1, found.join())
  assert.equal(await directory.read('a'), 'A')
})

test('keys may end like anything', async () => {
  await using directory = await aDirectory()
  const { volumes, read } = directory
  await volumes.write('v', files({ key_next: 'next', key: 'this' }))
  assert.deepEqual([await read('key'), await read('key_next')], ['this', 'next'])
})
