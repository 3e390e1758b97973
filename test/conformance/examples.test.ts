// Every kind shows an example, and every example is accepted as it stands; those with conditions become Ready.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import { silentLogger } from '../../src/base/log.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { createKubectl, patience } from '../harness/kubectl.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'

const root = join(import.meta.dirname, '..', '..', 'src', 'kinds')

/** Kinds whose objects Knode makes itself. */
const madeByKnode = new Set(['CustomResourceDefinition'])

const folderOf = (group: string, kind: string): string =>
  join(root, group.split('.')[0] || 'core', kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase())

test('the example of every kind is accepted by the API, and becomes Ready where that is a thing', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using knode = await startKnode({ memory: true, apiPort: 0, gatewayPort: 0, log: silentLogger })
  // An autoscaler at zero is not Ready: nobody asks here, and a slow machine is here for longer than its window.
  const data = { 'enable-scale-to-zero': 'false' }
  await knode.client.patch('ConfigMap', 'knative-serving', 'config-autoscaler', { data })
  await using kubectl = await createKubectl({ kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') })
  // Triggers need their Broker, Subscriptions their Channel: the registry's order is no order of need.
  const examples = kinds.filter(({ kind }) => !madeByKnode.has(kind))
  for (const { group, kind, plural } of examples) {
    await t.test(kind, async () => {
      const path = join(folderOf(group, kind), 'example.yaml')
      const said = await kubectl.ok(['apply', '-f', path])
      assert.match(said, /created|configured|unchanged/)
      const text = await readFile(path, 'utf8')
      assert.match(text, new RegExp(`kind: ${kind}\\b`), plural)
    })
  }
  const withConditions = examples.filter((kind) => kind.reconciler !== undefined && kind.builtIn !== true)
  for (const { group, kind, plural } of withConditions) {
    await t.test(`${kind} becomes Ready`, async () => {
      await kubectl.ok(['wait', '--for=condition=Ready', patience, '--all', `${plural}.${group}`])
    })
  }
})
