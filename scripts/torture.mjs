// `npm run torture [-- SEED]`: the random and kill tests of the log and of delivery at full length, about ten minutes on
// two cores, with progress. A seed repeats a run.
import { spawnSync } from 'node:child_process'
import { pinnedNode, root, setUp } from './set-up.mjs'

setUp()
const seed = process.argv[2] ?? String(Math.floor(Math.random() * 2 ** 31))
if (!/^\d+$/.test(seed)) {
  console.error(`a seed is a number, not ${seed}`)
  process.exit(2)
}
console.error(`torture: seed ${seed}`)
const { status } = spawnSync(
  pinnedNode,
  [
    '--test',
    '--test-concurrency=2',
    '--test-reporter=spec',
    'src/ports/event-transport/log/history.test.ts',
    'src/ports/event-transport/log/damage.test.ts',
    'src/ports/event-transport/log/faults.test.ts',
    'src/engine/delivery/conservation.test.ts',
    'test/crash/log-kill.test.ts',
    'test/crash/delivery-kill.test.ts',
    'test/crash/log-disk-full.test.ts',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      KNODE_SEED: seed,
      KNODE_HISTORIES: '30000',
      KNODE_FLIPS: '2000',
      KNODE_RUNS: '200',
      KNODE_KILLS: '500',
      KNODE_UP_KILLS: '200',
    },
  },
)
process.exit(status ?? 1)
