// Where a transport under test lives.
import type { FakeClock } from '../../../base/fake-clock.ts'
import type { EventStream, EventTransport, StreamOptions } from '../port.ts'

/** A place for one transport: empty at first, and what `open` opens again, if it is durable. */
export interface TransportPlace extends AsyncDisposable {
  clock: FakeClock
  open: () => Promise<EventTransport>
}

export type MakePlace = () => Promise<TransportPlace>

/** Runs a test with a new stream in a new place. */
export type WithStream = (
  use: (stream: EventStream, clock: FakeClock, transport: EventTransport) => Promise<void>,
  options?: StreamOptions,
) => Promise<void>

export const withStreamIn =
  (makePlace: MakePlace): WithStream =>
  async (use, options) => {
    await using place = await makePlace()
    await using transport = await place.open()
    await use(await transport.ensureStream('shop/orders', options), place.clock, transport)
  }
