// What every resource store promises. A driver's test calls this once.
import { itKeepsWritersApart } from './contract/concurrency.ts'
import { itKeepsObjects } from './contract/objects.ts'
import type { OpenStore } from './contract/test-bed.ts'
import { itTellsChanges } from './contract/watches.ts'

export function itKeepsTheStoreContract(open: OpenStore): void {
  itKeepsObjects(open)
  itKeepsWritersApart(open)
  itTellsChanges(open)
}
