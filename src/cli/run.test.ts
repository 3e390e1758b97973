// What the command line says as a whole: help, unknown commands, exit codes.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { runInProcess } from '../../test/harness/run-cli.ts'
import { startScriptedApi } from '../../test/harness/scripted-api.ts'
import { commands } from './registry.ts'

describe('knode', () => {
  it('without a command, with help or --help, lists all commands', async () => {
    const { out, code } = await runInProcess([])
    assert.equal(code, 0)
    for (const name of Object.keys(commands)) assert.match(out, new RegExp(`^  ${name} +\\w`, 'm'))
    assert.equal((await runInProcess(['help'])).out, out)
    assert.equal((await runInProcess(['--help'])).out, out)
  })

  it('has a registry entry for each command file, under the command’s own name', async () => {
    const files = await readdir(new URL('commands', import.meta.url))
    const names = files.filter((file) => !file.endsWith('.test.ts')).map((file) => file.replace('.ts', ''))
    assert.deepEqual(names.sort(), Object.keys(commands).sort())
    for (const [name, load] of Object.entries(commands)) assert.equal((await load()).command.name, name)
  })

  it('tells each command’s usage and flags, and an example that starts with it', async () => {
    for (const [name, load] of Object.entries(commands)) {
      const { command } = await load()
      const { out, code } = await runInProcess([name, '--help'])
      assert.equal(code, 0)
      assert.match(out, new RegExp(`^Usage:\\n  knode ${name}`, 'm'))
      assert.ok(command.examples.length > 0 && command.examples.every((line) => line.includes(`knode ${name}`)), name)
      for (const flag of Object.keys(command.flags)) assert.match(out, new RegExp(`^  (-\\w,|   ) --${flag}\\b`, 'm'))
      assert.equal((await runInProcess(['help', name])).out, out)
      const letters = Object.values(command.flags).flatMap(({ short }) => short ?? [])
      assert.deepEqual(letters, [...new Set(letters)], `${name}: a letter means one flag`)
    }
  })

  it('answers wrong usage with exit code 2 and the nearest right word', async () => {
    const rows: [string[], string][] = [
      [['gett'], 'knode: there is no command "gett"\n  did you mean knode get?\n'],
      [['frobnicate'], 'knode: there is no command "frobnicate"\n  knode help lists the commands\n'],
      [['toString'], 'knode: there is no command "toString"\n  knode help lists the commands\n'],
      [
        ['get'],
        'knode: knode get needs more: knode get KIND[,KIND...] [NAME...] | KIND/NAME... [flags]\n  see: knode get --help\n',
      ],
      [['apply'], 'knode: no manifest is named\n  name a file, a directory or - with -f\n'],
      [
        ['up', '--api-port', 'many'],
        'knode: --api-port: expected a whole number from 0 to 65535, got "many"\n  knode config explain lists every setting\n',
      ],
      [['config', 'explian'], 'knode: knode config has no "explian"\n  did you mean knode config explain?\n'],
      [['send', '-d', 'a', '-f', 'b'], 'knode: the data is given twice\n  use either -d or -f\n'],
    ]
    for (const [words, err] of rows) assert.deepEqual(await runInProcess(words), { code: 2, out: '', err })
  })

  it('starts with what flags say, also where a flag says no and the environment yes', async () => {
    const words = ['up', '--api-port', 'many']
    const denied = await runInProcess([...words, '--memory=false'], { env: { KNODE_MEMORY: 'perhaps' } })
    assert.match(denied.err, /^knode: --api-port: [^\n]+\n {2}knode config explain/)
    const open = await runInProcess(words, { env: { KNODE_MEMORY: 'perhaps' } })
    assert.match(open.err, /^knode: KNODE_MEMORY: expected true or false, got "perhaps"\n/)
  })

  it('says what to do when no Knode runs', async () => {
    const { code, err } = await runInProcess(['get', 'broker'])
    assert.equal(code, 1)
    assert.equal(
      err,
      'knode: no running Knode found: there is no /nonexistent/kubeconfig\n' +
        '  start one here with knode up, or name its data directory with --data-dir\n',
    )
    // A port of the system's that is not in use any more, and given to nobody.
    const server = 'http://127.0.0.1:1'
    const gone = await runInProcess(['get', 'broker'], { server })
    assert.equal(gone.err.split('\n')[0], `knode: no answer from ${server}: nobody listens there`)
  })

  it('says so when something else answers', async () => {
    await using api = await startScriptedApi({ 'GET /api': { body: '<html>' }, 'GET /apis': { body: '<html>' } })
    const { code, err } = await runInProcess(['get', 'broker'], { server: api.url })
    assert.equal(code, 1)
    assert.match(err, /^knode: http:.*\/apis? answered no JSON\n  is this the API of Knode\?/)
  })

  it('ends with 130 when it is stopped in the middle of a request', async () => {
    await using api = await startScriptedApi({ 'GET /api': { lines: [] }, 'GET /apis': { lines: [] } })
    const stop = new AbortController()
    const running = runInProcess(['get', 'broker'], { server: api.url, signal: stop.signal })
    while (api.requests.length < 2) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    assert.deepEqual(await running, { code: 130, out: '', err: '' })
  })

  it('explains every setting', async () => {
    const { out } = await runInProcess(['config', 'explain'])
    assert.match(out, /--api-port\b.*KNODE_API_PORT/)
  })
})
