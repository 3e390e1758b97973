// What every event transport promises. A driver's test calls this once.
import { itAppendsAndReads } from './contract/appending.ts'
import { itHandsOver } from './contract/consuming.ts'
import { withStreamIn } from './contract/place.ts'
import type { MakePlace } from './contract/place.ts'
import { itSurvives } from './contract/reopening.ts'
import { itKeepsWhatIsNeeded } from './contract/retention.ts'
import { itRetriesSelectsAndSeeks } from './contract/retrying.ts'
import { itKeepsStreams } from './contract/streams.ts'

/** @param options.durable whether opening the place again finds everything. */
export function itKeepsTheTransportContract(makePlace: MakePlace, { durable }: { durable: boolean }): void {
  const withStream = withStreamIn(makePlace)
  itKeepsStreams(withStream)
  itAppendsAndReads(withStream)
  itHandsOver(withStream)
  itRetriesSelectsAndSeeks(withStream)
  itKeepsWhatIsNeeded(withStream)
  if (durable) itSurvives(makePlace)
}
