// What Knode shows people to apply, they apply without a warning of Knode's own.
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { ConfigReader } from '../../src/engine/kind.ts'
import { configMapDefaults } from '../../src/kinds/config-maps.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { fieldErrorText } from '../../src/model/kubernetes/field-error.ts'
import { parseApiVersion } from '../../src/model/kubernetes/resource.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { parseYaml } from '../../src/model/kubernetes/yaml.ts'

const root = join(import.meta.dirname, '..', '..')

/** Upstream says so, too, of every Service without security options. */
const upstreams = /Kubernetes default value is insecure/

const shipped: ConfigReader = {
  data: (namespace, name) =>
    configMapDefaults.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)?.data ?? {},
}

function warningsOf(object: Resource): string[] {
  const { group } = parseApiVersion(object.apiVersion)
  const kind = kinds.find((each) => each.kind === object.kind && each.group === group)
  assert.ok(kind !== undefined, `${object.apiVersion} ${object.kind}`)
  const draft = structuredClone(object)
  draft.metadata.namespace ??= 'default'
  const context = { operation: 'create', user: { username: 'u' }, config: shipped } as const
  kind.setDefaults?.(draft, context)
  const found = (kind.validate?.(draft, context) ?? []).filter(({ level }) => level === 'warning')
  return found.map((warning) => fieldErrorText([warning])).filter((text) => !upstreams.test(text))
}

const objectsIn = (text: string): Resource[] =>
  parseYaml(text)
    .map(({ value }) => value as Resource)
    .filter((value) => value?.apiVersion !== undefined && value.kind !== undefined)

/** Manifests among the code blocks of a page. */
const blocksOf = (page: string): string[] => [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block]) => block!)

async function* shown(): AsyncGenerator<[file: string, object: Resource]> {
  for await (const file of glob(['examples/**/*.yaml', 'src/kinds/*/*/example.yaml'], { cwd: root })) {
    for (const object of objectsIn(await readFile(join(root, file), 'utf8'))) yield [file, object]
  }
  for await (const file of glob(['README.md', 'docs/**/*.md', 'examples/*/README.md'], { cwd: root })) {
    const blocks = blocksOf(await readFile(join(root, file), 'utf8'))
    for (const object of blocks.flatMap(objectsIn)) yield [file, object]
  }
}

test('no manifest of the examples, of the kinds or of the docs sets anything of which nothing comes', async () => {
  const manifests = await Array.fromAsync(shown())
  assert.ok(manifests.length > 35, `${manifests.length}`)
  for (const [file, object] of manifests) {
    assert.deepEqual(warningsOf(object), [], `${file}: ${object.kind} ${object.metadata.name}`)
  }
})

test('a manifest that does is found', () => {
  const [pod] = objectsIn(`
apiVersion: v1
kind: Pod
metadata: { name: shop }
spec:
  nodeSelector: { gpu: "yes" }
  containers: [{ name: shop, image: shop }]
`)
  assert.equal(warningsOf(pod!).length, 1)
})
