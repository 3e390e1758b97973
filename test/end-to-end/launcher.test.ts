// bin/knode finds the right Node and the right code, wherever it is called from.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const bin = join(import.meta.dirname, '..', '..', 'bin')

describe('bin/knode', () => {
  let home = ''
  /** An installed package. */
  let launcher = ''
  /** Directories for PATH: the tools of the launcher with this Node, with an old one, with none. */
  const paths = { good: '', old: '', none: '' }

  before(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'knode launcher-')))
    launcher = join(await aTree('package', 'dist/main.js', program), 'bin', 'knode')
    for (const name of ['good', 'old', 'none'] as const) {
      paths[name] = join(home, name)
      await mkdir(paths[name])
      for (const tool of ['dirname', 'readlink']) await symlink(toolPath(tool), join(paths[name], tool))
    }
    await symlink(process.execPath, join(paths.good, 'node'))
    await writeFile(join(paths.old, 'node'), '#!/bin/sh\necho v20.18.1\n')
    await chmod(join(paths.old, 'node'), 0o755)
  })
  after(() => rm(home, { recursive: true }))

  /** Says what it was given; ends with 7 when told to stop. */
  const program = `
    if (process.argv[2] === 'stay') {
      process.on('SIGTERM', () => process.exit(7))
      setInterval(() => undefined, 1000)
    }
    const { argv, execArgv, pid } = process
    console.log(JSON.stringify({ words: argv.slice(2), pid, code: import.meta.filename, options: execArgv }))
    if (process.argv[2] === 'fail') process.exit(3)`

  async function aTree(name: string, file: string, text: string): Promise<string> {
    const root = join(home, name)
    for (const folder of ['bin', dirname(file)]) await mkdir(join(root, folder), { recursive: true })
    await copyFile(join(bin, 'knode'), join(root, 'bin', 'knode'))
    await copyFile(join(bin, 'package.json'), join(root, 'bin', 'package.json'))
    await writeFile(join(root, 'package.json'), '{"type":"module"}')
    await writeFile(join(root, file), text)
    return root
  }

  const run = (command: string, words: string[], path = paths.good) => {
    const { status, stdout, stderr } = spawnSync(command, words, { env: { PATH: path }, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const told = (stdout: string) =>
    JSON.parse(stdout) as { words: string[]; pid: number; code: string; options: string[] }

  it('runs the package’s own code and passes words and exit code on', () => {
    const words = ['get', 'a b', '', "it's", '$HOME', '--', '*']
    const { stdout, status } = run(launcher, words)
    assert.equal(status, 0)
    assert.deepEqual(told(stdout).words, words)
    assert.equal(told(stdout).code, join(home, 'package', 'dist', 'main.js'))
    assert.equal(run(launcher, ['fail']).status, 3)
  })

  it('works through links, as npm makes them, relative and absolute', async () => {
    await symlink('package/bin/knode', join(home, 'relative'))
    await symlink(join(home, 'relative'), join(home, 'good', 'knode'))
    for (const command of [join(home, 'relative'), join(home, 'good', 'knode')]) {
      assert.deepEqual(told(run(command, ['x']).stdout).words, ['x'])
    }
  })

  it('leaves a single core to the event loop', async () => {
    assert.deepEqual(told(run(launcher, []).stdout).options, [])
    const single = join(home, 'single')
    await cp(paths.good, single, { recursive: true, verbatimSymlinks: true })
    await writeFile(join(single, 'nproc'), '#!/bin/sh\necho 1\n')
    await chmod(join(single, 'nproc'), 0o755)
    assert.deepEqual(told(run(launcher, [], single).stdout).options, ['--v8-pool-size=1'])
  })

  it('works when it is started by Node', () => {
    const { stdout, status } = run(process.execPath, [launcher, 'a b'])
    assert.deepEqual([status, told(stdout).words], [0, ['a b']])
    assert.equal(run(process.execPath, [launcher, 'fail']).status, 3)
  })

  it('becomes the program, so that signals reach it; started by Node it passes them on', async () => {
    for (const [command, words] of [
      [launcher, []],
      [process.execPath, [launcher]],
    ] as const) {
      const child = spawn(command, [...words, 'stay'], {
        env: { PATH: paths.good },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      if (command === launcher) assert.equal(told(line.toString()).pid, child.pid)
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      assert.deepEqual(await ended, [7, null])
    }
  })

  it('says which Node it needs', () => {
    const old = run(launcher, [], paths.old)
    assert.equal(old.stderr, 'knode: Node 24 or newer is needed, this is v20.18.1\n  install it: https://nodejs.org\n')
    const none = run(launcher, [], paths.none)
    assert.equal(none.stderr, 'knode: Node is not installed\n  install Node 24 or newer: https://nodejs.org\n')
    assert.deepEqual([old.status, none.status], [1, 1])
  })

  it('in a clone prefers the pinned Node, and says how to set up when there is none', async () => {
    const root = await aTree('clone', 'src/main.ts', program)
    const bare = run(join(root, 'bin', 'knode'), [])
    assert.equal(bare.stderr, `knode: this clone is not set up yet\n  run: cd ${root} && npm install\n`)
    assert.equal(bare.status, 1)
    await mkdir(join(root, 'node_modules', 'node', 'bin'), { recursive: true })
    await symlink(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'))
    const { stdout } = run(join(root, 'bin', 'knode'), ['x'], paths.old)
    assert.equal(told(stdout).code, join(root, 'src', 'main.ts'))
  })
})

const toolPath = (name: string): string =>
  spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
