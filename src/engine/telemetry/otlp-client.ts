// How a message gets to an OTLP receiver, whatever the protocol. Source: OpenTelemetry protocol specification 1.x.
import type { PartialSuccess } from '../../model/otlp/export-response.ts'

/** What became of one attempt. */
export type ExportResult =
  | { kind: 'taken'; partial?: PartialSuccess }
  /** The same may be sent again, not before `delayMs` where the receiver says so. */
  | { kind: 'later'; reason: string; delayMs?: number }
  /** It will never be taken. */
  | { kind: 'refused'; reason: string }

/** Disposing cuts what is under way. */
export interface OtlpClient extends AsyncDisposable {
  /** Never throws, and takes no longer than its time limit. */
  send(message: Uint8Array): Promise<ExportResult>
}

export interface OtlpClientOptions {
  origin: string
  path: string
  /** Sent with each message, names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Certificates in PEM that are trusted instead of the machine's. */
  ca?: string
  /** Longest time for one attempt, in milliseconds. */
  timeoutMs: number
}

/** What is read of an answer, in bytes. */
export const answerBytesMax = 65_536

export const userAgent = 'knode-otlp'
