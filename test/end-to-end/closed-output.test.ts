// What becomes of a running Knode whose output nobody reads any more.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { runKnode } from '../harness/knode-process.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'knode')
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: still-here}\n'

test('it goes on when whoever took its log is gone', async () => {
  await using directory = await temporaryDirectory()
  const words = ['up', '--data-dir', directory.path, '--api-port', '0', '--gateway-port', '0', '--log-level', 'debug']
  const child = spawn(bin, words, { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' } })
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  try {
    child.stderr.resume()
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    assert.match(line.toString(), /^knode ready /)
    child.stderr.destroy()
    child.stdout.destroy()
    const kubeconfig = ['--kubeconfig', join(directory.path, 'kubeconfig')]
    const applied = await runKnode(['apply', '-f', '-', ...kubeconfig], { input: namespace })
    assert.equal(applied.code, 0, applied.err)
    const seen = await runKnode(['get', 'namespace', 'still-here', ...kubeconfig])
    assert.equal(seen.code, 0, seen.err)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  } finally {
    child.kill('SIGKILL')
  }
})
