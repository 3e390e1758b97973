// Runs this folder's README as written, with the real kubectl, curl and kn.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { createKn } from '../../test/harness/kn.ts'
import { startKnodeProcess } from '../../test/harness/knode-process.ts'
import { readPage, runBlocks } from '../../test/harness/page.ts'
import { skipUnlessInstalled } from '../../test/harness/programs.ts'
import { temporaryDirectory } from '../../test/harness/temporary-directory.ts'

const here = import.meta.dirname

/** How often `word` was answered, by `uniq -c`. */
const count = (said: string, word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(said)?.[1] ?? 0)

test('a canary takes its tenth, then all, and blue comes back at once', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl', 'curl', 'bash')) return
  const blocks = await readPage(join(here, 'README.md'))
  await using directory = await temporaryDirectory()
  const dataDir = join(directory.path, '.knode')
  await using knode = await startKnodeProcess(dataDir, [], { cwd: here })
  using kn = await createKn(t, { kubeconfig: await readFile(knode.kubeconfig, 'utf8') })
  const wanted = blocks.filter(({ info }) => info === '' || (kn !== undefined && info.includes('client=kn')))
  // The page is read in this folder; its data directory is elsewhere, so that the clone stays clean.
  const placed = wanted.map((block) => ({
    ...block,
    text: block.text
      .replace('KUBECONFIG=.knode/kubeconfig', `KUBECONFIG=${dataDir}/kubeconfig`)
      .replaceAll(/-f (\w+\.yaml)/g, `-f ${here}/$1`),
  }))
  const env = kn === undefined ? {} : { PATH: `${kn.directory}:${process.env['PATH']}` }
  const { code, said, outputOf } = await runBlocks(placed, { cwd: directory.path, env })

  assert.equal(code, 0, said)
  assert.match(outputOf('1. Blue'), /^blue$/m)
  assert.match(outputOf('2. Green'), /^green$/m, 'the tag leads to green alone')
  assert.match(outputOf('2. Green'), /service\.serving\.knative\.dev\/shop +http:\S+ +shop-green +shop-green +True/)
  assert.match(outputOf('2. Green'), /revision\.serving\.knative\.dev\/shop-blue +shop +1 +True/)
  const green = count(outputOf('2. Green'), 'green')
  // Six standard deviations of 500 draws at 10 %.
  assert.ok(green > 50 - 40 && green < 50 + 40, `${green} of 500 are green`)
  assert.equal(count(outputOf('3. All'), 'green'), 20)
  assert.equal(count(outputOf('4. Back'), 'blue'), 20)
  if (kn === undefined) return
  assert.match(outputOf('5. The same'), /shop-green +shop +50%/)
  assert.match(outputOf('5. The same'), /100% +shop-blue/)
})
