// `npm run build [-- FOLDER]`: the JavaScript and types of the package, into an empty `dist` (or FOLDER), so that nothing
// of an earlier build is packed.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './set-up.mjs'

const folder = resolve(root, process.argv[2] || 'dist')
rmSync(folder, { recursive: true, force: true })
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', folder], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(status ?? 1)
