// One process at a time uses a data directory, and a dead one keeps nobody out.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import type { KnodeError } from '../base/errors.ts'
import { openDataDir } from './data-dir.ts'
import { ownIdentity } from './process-identity.ts'

describe('data directory', () => {
  it('is created with its parents, for its owner only, and locked', async () => {
    const path = join(await aDirectory(), 'new', 'deep')
    await using dir = await openDataDir(path)
    assert.equal(dir.path, path)
    assert.equal((await stat(path)).mode & 0o777, 0o700)
    await assert.rejects(openDataDir(path), {
      code: 'DATA_DIR_IN_USE',
      message: `data directory ${path} is in use by process ${process.pid}`,
      hint: `stop it (kill ${process.pid}), or choose another one with --data-dir`,
    })
  })

  it('that cannot be made is told at once, also where no directory ever can', async () => {
    const file = join(await aDirectory(), 'file')
    await writeFile(file, '')
    for (const path of [file, join(file, 'deep'), ...(process.platform === 'linux' ? ['/proc/knode/deep'] : [])]) {
      await assert.rejects(openDataDir(path), { code: 'DATA_DIR_NOT_WRITABLE', message: new RegExp(`${path}: \\w`) })
    }
  })

  it('can be opened again after it was closed, however often', async () => {
    const path = await aDirectory()
    for (let time = 0; time < 5; time++) {
      const dir = await openDataDir(path)
      await dir[Symbol.asyncDispose]()
      await dir[Symbol.asyncDispose]()
    }
    assert.equal((await readdir(path)).length, 1, 'one small file stays, whatever happens')
  })

  it('is refused while another process runs on it, by pid, and free once that one was killed', async () => {
    const path = await aDirectory()
    const other = await startOpener(path)
    assert.equal(await other.open(), 'won')
    await assert.rejects(openDataDir(path), { code: 'DATA_DIR_IN_USE', message: new RegExp(`process ${other.pid}$`) })
    await other.kill()
    const dir = await openDataDir(path)
    await dir[Symbol.asyncDispose]()
  })

  it('is taken over from a process whose number another one has now', async (context) => {
    const own = await ownIdentity()
    if (own.started === undefined) return context.skip('this system tells no start times')
    const path = await aDirectory()
    await writeFile(join(path, 'lock-1'), JSON.stringify({ pid: own.pid, started: 'another boot 1' }))
    const dir = await openDataDir(path)
    await dir[Symbol.asyncDispose]()
  })

  it('is taken over when the lock was cut by a power failure', async () => {
    const path = await aDirectory()
    await writeFile(join(path, 'lock-3'), '{"pid":')
    await writeFile(join(path, 'lock-draft-999999999-x'), '')
    await using _ = await openDataDir(path)
    assert.deepEqual(await readdir(path), ['lock-4'])
  })

  it('goes to exactly one of many processes that race for it', async () => {
    const path = await aDirectory()
    const dead = await startOpener(path)
    await dead.open()
    await dead.kill()
    const openers = await Promise.all(Array.from({ length: 6 }, () => startOpener(path)))
    const results = await Promise.all(openers.map((opener) => opener.open()))
    assert.deepEqual(results.toSorted(), [...Array<string>(5).fill('DATA_DIR_IN_USE'), 'won'])
    await Promise.all(openers.map((opener) => opener.kill()))
  })

  it('never has two owners while ten starters open and close it in turns', async () => {
    const path = await aDirectory()
    let owners = 0
    let won = 0
    const compete = async (): Promise<void> => {
      while (won < 30) {
        try {
          await using _ = await openDataDir(path)
          won++
          assert.equal(++owners, 1)
          await new Promise((resolve) => setImmediate(resolve))
          owners--
        } catch (error) {
          assert.equal((error as KnodeError).code, 'DATA_DIR_IN_USE')
        }
      }
    }
    await Promise.all(Array.from({ length: 10 }, compete))
  })

  it('that cannot be created says why in one line', async () => {
    const file = join(await aDirectory(), 'file')
    await writeFile(file, '')
    await assert.rejects(openDataDir(join(file, 'data')), {
      code: 'DATA_DIR_NOT_WRITABLE',
      message: `cannot write to data directory ${join(file, 'data')}: not a directory`,
      hint: 'mend its permissions, choose another one with --data-dir, or keep nothing with --memory',
    })
  })

  it('that cannot be written says why in one line', async () => {
    const parent = await aDirectory()
    await chmod(parent, 0o755)
    const path = join(parent, 'read-only')
    await mkdir(path, { mode: 0o555 })
    const opener = await startOpener(path, process.getuid?.() === 0 ? { uid: 65_534 } : {})
    assert.equal(await opener.open(), `DATA_DIR_NOT_WRITABLE cannot write to data directory ${path}: permission denied`)
    await opener.kill()
  })
})

const directories: string[] = []
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

async function aDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'knode-data-dir-'))
  directories.push(path)
  return path
}

interface Opener {
  pid: number
  /** `won`, or the error. */
  open(): Promise<string>
  kill(): Promise<void>
}

/** Another process that opens the directory when told to, and keeps it. */
async function startOpener(path: string, options: { uid?: number } = {}): Promise<Opener> {
  const program = `
    const { openDataDir } = await import(${JSON.stringify(new URL('data-dir.ts', import.meta.url))})
    console.log('ready')
    process.stdin.once('data', () => openDataDir(${JSON.stringify(path)}).then(
      () => console.log('won'),
      ({ code, message }) => console.log(code === 'DATA_DIR_IN_USE' ? code : code + ' ' + message),
    ))`
  // Whom the tests run as may not be who may read this folder: the child starts in a public one.
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: tmpdir(),
    ...options,
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  assert.equal(await next(), 'ready')
  return {
    pid: child.pid!,
    async open() {
      child.stdin!.write('go\n')
      return next()
    },
    async kill() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
