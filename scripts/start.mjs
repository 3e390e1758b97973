// `npm start`: sets up a fresh clone, then runs the demo of examples/thirst and keeps running.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pinnedNode, root, setUp } from './set-up.mjs'

setUp()
const child = spawn(pinnedNode, [join(root, 'examples', 'thirst', 'start.ts'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
// Ctrl-C reaches the child by itself (same process group); what is sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))
