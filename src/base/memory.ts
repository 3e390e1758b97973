// Gives memory back to the machine that a phase of much garbage, such as starting up, has left behind.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/**
 * Collects all garbage and shrinks the heap to what is left, which takes some tens of milliseconds. V8 itself would keep
 * the room that starting took, about 30 MB, for as long as there is little to do. `gc` of V8 is not a global by default.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as CollectGarbage
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
