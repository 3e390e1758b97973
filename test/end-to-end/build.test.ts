// What `npm run build` makes for the package.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

test('a build holds the program and its types, nothing of an earlier build, and nothing of tests', async () => {
  await using home = await temporaryDirectory()
  const folder = join(home.path, 'dist')
  await mkdir(join(folder, 'kinds'), { recursive: true })
  await writeFile(join(folder, 'kinds', 'gone-since.js'), '')
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), folder], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout + stderr)
  const files = await readdir(folder, { recursive: true })
  for (const name of ['main.js', 'index.js', 'index.d.ts']) assert.ok(files.includes(name), `${name} is missing`)
  const unwanted = /gone-since|\.test\.|\/contract[./]|(^|\/)test-|eventually/
  assert.deepEqual(
    files.filter((name) => unwanted.test(name)),
    [],
  )
})
