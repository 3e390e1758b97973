// Runs docs/first-ten-minutes.md as written, in a folder that looks like a clone.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { startKnodeProcess } from '../harness/knode-process.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

interface Block {
  section: string
  terminal: string
  text: string
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let section = ''
  for (const [, heading, info, text] of page.matchAll(/^## (.+)$|^```sh(.*)\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) section = heading
    else blocks.push({ section, terminal: /terminal=(\d)/.exec(info ?? '')?.[1] ?? '2', text: text ?? '' })
  }
  return blocks
}

test('every command of "Your first ten minutes" does what the page says', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl', 'curl', 'bash')) return
  const blocks = blocksOf(await readFile(join(root, 'docs', 'first-ten-minutes.md'), 'utf8'))
  assert.match(blocks[0]?.text ?? '', /^npm install --no-save\n\.\/bin\/knode up\n$/)
  await using folder = await temporaryDirectory()
  for (const name of ['bin', 'src', 'node_modules', 'package.json'])
    await symlink(join(root, name), join(folder.path, name))
  // The page's own ports may be taken on this machine; everything else is as written.
  const dataDir = join(folder.path, '.knode')
  await using _knode = await startKnodeProcess(dataDir)

  const shell = spawn('bash', ['-euo', 'pipefail', '-s'], {
    cwd: folder.path,
    env: { ...process.env, HOME: folder.path },
  })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const second = blocks.filter(({ terminal }) => terminal === '2')
  shell.stdin.end(second.map(({ section, text }) => `echo '=== ${section}'\n${text}`).join('\n'))
  const [code] = (await once(shell, 'close')) as [number]
  const outputOf = (section: string): string =>
    said
      .split('=== ')
      .filter((part) => part.startsWith(section))
      .join('')
  assert.equal(code, 0, said)
  assert.match(outputOf('1. Start'), /knative-eventing +Active/)
  assert.match(outputOf('2. A Broker'), /broker\.eventing\.knative\.dev\/default +http:\S+ +\S+ +True/)
  assert.match(outputOf('3. Send'), /HTTP\/1\.1 202/)
  assert.match(outputOf('3. Send'), /type: order\.created[\s\S]*type: order\.paid/)
  assert.doesNotMatch(outputOf('3. Send'), /type: visit/)
  assert.match(outputOf('4. Why'), /2 of 3/)
  assert.match(outputOf('5. A step'), /hello - handled by the first step/)
  assert.match(outputOf('6. Your own code'), /order\.shipped/)
})
