// `npm run bench`: sets up, then runs the benchmarks one after the other on the pinned Node. Arguments go to each.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pinnedNode, root, setUp } from './set-up.mjs'

setUp()
const benches = ['filters.ts', 'data-plane/run.ts', 'isolation/run.ts', 'isolation/backlog.ts', 'serving/run.ts']
let failed = false
for (const bench of benches) {
  console.error(`\nbench: ${bench}`)
  const { status } = spawnSync(pinnedNode, [join(root, 'bench', bench), ...process.argv.slice(2)], { stdio: 'inherit' })
  failed ||= status !== 0
}
process.exit(failed ? 1 : 0)
