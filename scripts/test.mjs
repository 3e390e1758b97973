// `npm test`: sets up a fresh clone, runs every test on the pinned Node, and ends with `N passed, N failed, N skipped`.
import { spawn, spawnSync } from 'node:child_process'
import { pinnedNode, root, setUp } from './set-up.mjs'
import { installTestServers } from './test-servers.mjs'

setUp()
installTestServers()
// What a run that was killed left in the kernel's tables would make some port of this machine unreachable in this one.
spawnSync(pinnedNode, ['test/harness/left-rules.ts'], { cwd: root, stdio: 'inherit' })
const given = process.argv.slice(2)
const files = given.length > 0 ? given : ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts']
const child = spawn(
  pinnedNode,
  [
    '--test',
    '--test-concurrency=2',
    '--test-reporter=./scripts/test-reporter.mjs',
    '--test-reporter-destination=stdout',
    ...files,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))
