// What `-f` reads, and what it says about half-written manifests.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { readManifests } from './manifests.ts'
import type { Manifests } from './manifests.ts'

const readStdin = async (): Promise<string> => aBroker('from-stdin')
const aBroker = (name: string): string =>
  `apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: ${name}}\n`
const namesOf = ({ manifests }: Manifests): string[] => manifests.map(({ object }) => object.metadata.name)
const messagesOf = ({ problems }: Manifests): string[] => problems.map(({ message }) => message)

/** Reads one file of this text; its path in messages is `FILE`. */
async function readText(text: string): Promise<Manifests> {
  await using folder = await aFolder({ 'm.yaml': text })
  const file = join(folder.path, 'm.yaml')
  const read = await readManifests([file], { readStdin })
  const shortened = read.problems.map((problem) =>
    Object.assign(problem, { message: problem.message.replace(file, 'FILE') }),
  )
  return { ...read, problems: shortened }
}

async function aFolder(files: Record<string, string>): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'knode-manifests-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(path, dirname(name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

describe('manifests', () => {
  it('come from several documents, empty ones left out, each with its place', async () => {
    const read = await readText(`# a comment\n---\n${aBroker('a')}---\n---\n${aBroker('b')}...\n`)
    assert.deepEqual(namesOf(read), ['a', 'b'])
    assert.match(read.manifests[1]!.origin, /m\.yaml document 3$/)
    assert.deepEqual(read.problems, [])
  })

  it('come from Lists, item by item', async () => {
    const items = JSON.stringify([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }, { kind: 'Broker' }])
    const read = await readText(`{"apiVersion":"v1","kind":"List","items":${items}}`)
    assert.deepEqual(namesOf(read), ['c'])
    assert.deepEqual(messagesOf(read), ['FILE, item 2: apiVersion is missing or no text'])
  })

  it('come from a directory in the order of names, other files left out', async () => {
    await using folder = await aFolder({
      'b.yml': aBroker('b'),
      'a.yaml': aBroker('a'),
      'c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
      'package.json': '{"name":"shop","version":"1.0.0"}',
      'compose.yaml': 'services: {}\n',
      'README.md': '# no manifest',
      'empty.yaml': '',
      'deeper/d.yaml': aBroker('d'),
      'node_modules/x/e.yaml': aBroker('e'),
      '.github/f.yaml': aBroker('f'),
    })
    await symlink(folder.path, join(folder.path, 'deeper', 'circle'))
    const flat = await readManifests([folder.path], { readStdin })
    assert.deepEqual(namesOf(flat), ['a', 'b', 'c'])
    assert.deepEqual(flat.problems, [])
    assert.deepEqual(
      flat.skipped,
      ['compose.yaml', 'package.json'].map((name) => join(folder.path, name)),
    )
    const deep = await readManifests([folder.path], { readStdin, recursive: true })
    assert.deepEqual(namesOf(deep), ['a', 'b', 'c', 'd'])
  })

  it('come from standard input', async () => {
    assert.deepEqual(namesOf(await readManifests(['-'], { readStdin })), ['from-stdin'])
  })

  it('come from JSON objects one after the other, and it is told where they break off', async () => {
    const object = (name: string): string => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"}}`
    const text = `${object('a')}\n${object('b')}${object('c')}\n${object('d').slice(0, -5)}\n`
    const read = await readManifests(['-'], { readStdin: async () => text })
    assert.deepEqual(namesOf(read), ['a', 'b', 'c'])
    assert.match(read.manifests[1]!.origin, /^standard input document 2$/)
    assert.deepEqual(messagesOf(read), [
      'standard input document 4, line 3: the text ends inside the JSON object that begins at line 3',
    ])
  })

  it('tell every mistake at once, with file, document and line', async () => {
    const read = await readText(
      [
        'kind: Broker\nmetadata: {name: x}\n',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n',
        'apiVersion: v1\nkind: ConfigMap\n',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 7}\n',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n',
        'just text\n',
        aBroker('good'),
      ].join('---\n'),
    )
    assert.deepEqual(namesOf(read), ['good'])
    assert.deepEqual(messagesOf(read), [
      'FILE document 1: apiVersion is missing or no text',
      'FILE document 2, line 6: Flow sequence in block collection must be sufficiently indented and end with a ]',
      'FILE document 3: metadata is missing',
      'FILE document 4: metadata.name is missing or no text (quote it)',
      'FILE document 5: metadata.name is missing or no text (quote it)',
      'FILE document 6: it has generateName, and can be created but not applied: give it a name',
      'FILE document 7: a manifest is a mapping with apiVersion, kind and metadata',
    ])
    assert.ok(read.problems.every(({ code }) => code === 'BAD_MANIFEST'))
  })

  it('that are not there, empty, or an address are told', async () => {
    await using folder = await aFolder({ 'notes/n.txt': '' })
    const paths = [join(folder.path, 'missing.yaml'), join(folder.path, 'notes'), 'https://example.com/a.yaml']
    const read = await readManifests(paths, { readStdin: async () => '' })
    assert.deepEqual(messagesOf(read), [
      `${paths[0]}: there is no such file or directory`,
      `${paths[1]}: the directory holds no .json, .yaml, .yml file`,
      `${paths[2]}: addresses are not read`,
    ])
    assert.equal(read.problems[2]?.hint, 'curl -L https://example.com/a.yaml | knode apply -f -')
    const nothing = await readManifests(['-'], { readStdin: async () => '# only a comment\n' })
    assert.deepEqual(messagesOf(nothing), ['standard input: there is nothing in it'])
  })
})
