import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import test from 'node:test'
import { errorCodes } from '../../src/base/error-codes.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { objection } from './floors.ts'

const src = join(import.meta.dirname, '..', '..', 'src')

async function sourceFiles(): Promise<string[]> {
  const found = await readdir(src, { recursive: true })
  return found.filter((path) => path.endsWith('.ts'))
}

/** Test files may reach for anything at their own height or below, and for harnesses. */
const isTest = (path: string): boolean => path.endsWith('.test.ts')

async function importsOf(path: string): Promise<string[]> {
  const text = await readFile(join(src, path), 'utf8')
  const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!)
  return targets.map((target) => relative(src, join(src, dirname(path), target)))
}

test('no import points up or into another room', async () => {
  const objections: string[] = []
  let looked = 0
  for (const path of (await sourceFiles()).filter((file) => !isTest(file))) {
    for (const target of await importsOf(path)) {
      if (target.startsWith('..')) continue
      looked++
      const why = objection(path, target)
      if (why !== undefined) objections.push(`${path} imports ${target}: ${why}`)
    }
  }
  assert.deepEqual(objections, [])
  assert.ok(looked > 200, 'the test finds the imports')
})

test('the rule refuses what the drawing forbids', () => {
  const refused: [string, string][] = [
    ['model/duck/types.ts', 'engine/kind.ts'],
    ['engine/delivery/send.ts', 'engine/api-server/operations.ts'],
    ['kinds/eventing/trigger/reconcile.ts', 'kinds/eventing/broker/reconcile.ts'],
    ['app/start-knode.ts', 'ports/event-transport/log/segment.ts'],
    ['cli/send.ts', 'engine/kind.ts'],
  ]
  for (const [importer, target] of refused) assert.notEqual(objection(importer, target), undefined, importer)
  assert.equal(objection('kinds/eventing/trigger/reconcile.ts', 'kinds/eventing/broker/schema.ts'), undefined)
})

test('a kind lives where its group and kind say', async () => {
  const files = new Set(await sourceFiles())
  for (const { group, kind } of kinds) {
    const folder = `kinds/${group.split('.')[0] || 'core'}/${kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}`
    assert.ok(files.has(`${folder}/kind.ts`), `${kind} is expected in src/${folder}`)
  }
})

test('every folder with a kind.ts is in the registry', async () => {
  const described = (await sourceFiles()).filter((path) => /^kinds\/.*\/kind\.ts$/.test(path))
  assert.equal(described.length, kinds.length)
})

test('every error code is documented, and every documented code exists', async () => {
  const text = await readFile(join(src, '..', 'docs', 'errors.md'), 'utf8')
  const documented = [...text.matchAll(/^### (\w+)$/gm)].map((match) => match[1]!)
  assert.deepEqual(documented, [...errorCodes])
})
