// How a message gets to an OTLP receiver, whatever the protocol. Source: OpenTelemetry protocol specification 1.x.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
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
  /** Never throws, and takes no longer than its time limit, nor than `withinMs`. */
  send(message: Uint8Array, withinMs: number): Promise<ExportResult>
}

export type Compression = 'gzip' | 'none'

export interface OtlpClientOptions {
  origin: string
  path: string
  /** Sent with each message, names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Certificates in PEM that are trusted instead of the machine's. */
  ca?: string
  /** Of what is sent. */
  compression: Compression
  /** Longest time for one attempt, in milliseconds. */
  timeoutMs: number
}

const gzipped = promisify(gzip)

export const encoded = async (message: Uint8Array, compression: Compression): Promise<Uint8Array> =>
  compression === 'gzip' ? gzipped(message) : message

/** What is read of an answer, in bytes. */
export const answerBytesMax = 65_536

export const userAgent = 'knode-otlp'
