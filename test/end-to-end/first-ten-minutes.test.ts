// Runs docs/first-ten-minutes.md as written, in a folder that looks like a clone.
import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { startKnodeProcess } from '../harness/knode-process.ts'
import { readPage, runBlocks, untilItSays } from '../harness/page.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

test('every command of "Your first ten minutes" does what the page says', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl', 'curl', 'bash')) return
  const blocks = await readPage(join(root, 'docs', 'first-ten-minutes.md'))
  assert.match(blocks[0]?.text ?? '', /^npm install --no-save\n\.\/bin\/knode up\n$/)
  await using folder = await temporaryDirectory()
  for (const name of ['bin', 'src', 'node_modules', 'package.json'])
    await symlink(join(root, name), join(folder.path, name))
  // The page's own ports may be taken on this machine; everything else is as written.
  const dataDir = join(folder.path, '.knode')
  await using _knode = await startKnodeProcess(dataDir)

  const looks: [section: string, command: string, words: string[]][] = [
    ['3. Send', './bin/knode logs event-display', ['type: order.created', 'type: order.paid']],
    ['5. A step', './bin/knode logs event-display --tail 20', ['handled by the first step']],
    ['6. Your own code', './bin/knode logs hello', ['order.shipped']],
  ]
  const second = blocks
    .filter(({ info }) => !info.includes('terminal=1'))
    .map((block) => {
      const look = looks.find(([section, command]) => block.section.startsWith(section) && block.text.includes(command))
      return look === undefined ? block : untilItSays(block, look[1], look[2])
    })
  const { code, said, outputOf } = await runBlocks(second, { cwd: folder.path })
  assert.equal(code, 0, said)
  assert.match(outputOf('1. Start'), /knative-eventing +Active/)
  assert.match(outputOf('2. A Broker'), /broker\.eventing\.knative\.dev\/default +http:\S+ +\S+ +True/)
  assert.match(outputOf('3. Send'), /HTTP\/1\.1 202/)
  assert.match(outputOf('3. Send'), /type: order\.created/)
  assert.match(outputOf('3. Send'), /type: order\.paid/)
  assert.doesNotMatch(outputOf('3. Send'), /type: visit/)
  assert.match(outputOf('4. Why'), /2 of 3/)
  assert.match(outputOf('5. A step'), /hello - handled by the first step/)
  assert.match(outputOf('6. Your own code'), /order\.shipped/)
})
