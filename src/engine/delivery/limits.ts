// Every bound of the delivery engine, by name and unit.

export interface DeliveryLimits {
  /** One try, connecting and reading the answer included, unless `delivery.timeout` says otherwise. @default 30_000 */
  tryMsMax: number
  /** Bytes of an answer's body that are read. @default 1_048_576 */
  answerBytesMax: number
  /** Bytes of an answer's status line and headers. @default 65_536 */
  answerHeaderBytesMax: number
  /** Open connections to one host and port; well above `inFlightMax`, as consumers may share a host. @default 500 */
  socketsPerHostMax: number
  /** An idle connection is closed after this long. @default 4_000 */
  socketIdleMs: number
  /** Tries going on at once per consumer, unless `knode.dev/max-in-flight` says otherwise. @default 100 */
  inFlightMax: number
  /** Events per consumer held in memory while they wait for their turn or for another try. @default 1_000 */
  waitingMax: number
  /** Of those, events of one key of an ordered consumer; the others of the key are read again in time. @default 16 */
  heldPerKeyMax: number
  /**
   * Events per consumer that wait for another try or behind one that does, a position in memory each; above it the
   * consumer takes no new ones. @default 50_000
   */
  unsettledMax: number
  /** How long a stopped consumer may finish what it is sending. @default 5_000 */
  drainMs: number
  /** Tries in a row without any answer before a subscriber counts as dead. @default 10 */
  circuitTriesMin: number
  /** … and how long they must have gone on. @default 5_000 */
  circuitOpensAfterMs: number
  /** A dead subscriber is tried again this often. @default 1_000 */
  circuitProbeMs: number
  /** How long each other try for it keeps its place before it fails. @default 1_000 */
  circuitRestMs: number
  /** How long a batch waits to be filled, unless `knode.dev/batch` says otherwise. @default 100 */
  batchWaitMs: number
  /** Bytes of data in a batch; a larger event goes alone. @default 1_048_576 */
  batchBytesMax: number
  /** Events per consumer in batches that are being gathered or sent. @default 2_000 */
  batchedEventsMax: number
  /** A subscriber that did not consent is asked again after this long, then after twice as long … @default 1_000 */
  handshakeBackoffMs: number
  /** … and at least this often. @default 60_000 */
  handshakeBackoffMsMax: number
  /** Identities that a Broker with `knode.dev/dedup` remembers; the oldest are forgotten first. @default 500_000 */
  dedupEntriesMax: number
  /** Different URLs that `send` remembers the parsed form of. @default 1_000 */
  targetsMax: number
}

const defaults: DeliveryLimits = {
  tryMsMax: 30_000,
  answerBytesMax: 1_048_576,
  answerHeaderBytesMax: 65_536,
  socketsPerHostMax: 500,
  socketIdleMs: 4_000,
  inFlightMax: 100,
  waitingMax: 1_000,
  heldPerKeyMax: 16,
  unsettledMax: 50_000,
  drainMs: 5_000,
  circuitTriesMin: 10,
  circuitOpensAfterMs: 5_000,
  circuitProbeMs: 1_000,
  circuitRestMs: 1_000,
  batchWaitMs: 100,
  batchBytesMax: 1_048_576,
  batchedEventsMax: 2_000,
  handshakeBackoffMs: 1_000,
  handshakeBackoffMsMax: 60_000,
  dedupEntriesMax: 500_000,
  targetsMax: 1_000,
}

export const resolveLimits = (given: Partial<DeliveryLimits> = {}): DeliveryLimits => ({ ...defaults, ...given })
