// Makes a fresh clone ready: installs what package-lock.json says, when it has not been installed yet.
// Plain JavaScript, because it runs on the machine's own Node before the pinned one is there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'node_modules', '.cache', 'knode-set-up')

/** The pinned Node. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Installs the locked dependencies unless that was done for this very lock file. Ends the process when it fails. */
export function setUp() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const done = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  if (done === wanted && existsSync(pinnedNode)) return
  console.error('knode: installing the locked dependencies (once, about 20 s) …')
  // Not `npm ci`: it refuses a lock file from a registry that lacks the builds of some other platform. npm's own
  // progress goes to standard error, so that standard output stays machine-readable.
  const npm = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--foreground-scripts', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', process.stderr, process.stderr],
      shell: process.platform === 'win32',
    },
  )
  if (npm.status !== 0)
    fail('npm install failed', 'see its messages above; a network or a registry mirror is needed once')
  if (!existsSync(pinnedNode)) {
    // An npm that does not run install scripts leaves the pinned Node unlinked; its own script links it.
    spawnSync(process.execPath, ['installArchSpecificPackage.js'], {
      cwd: join(root, 'node_modules', 'node'),
      stdio: ['ignore', process.stderr, process.stderr],
    })
  }
  if (!existsSync(pinnedNode)) fail('the pinned Node was not installed', 'run: npm rebuild node')
  mkdirSync(join(stamp, '..'), { recursive: true })
  writeFileSync(stamp, wanted)
  console.error('knode: ready')
}

function fail(message, hint) {
  console.error(`knode: ${message}\n  ${hint}`)
  process.exit(1)
}
