// One line of a journal: a checksum, a space, JSON. Lines can be read, searched and compared with ordinary tools.
import { crc32 } from 'node:zlib'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { ResourceKey } from '../port.ts'

export const journalFormat = 'knode resource journal'
export const journalVersion = 1

/** First line of a file: the state of the store at the file's beginning follows as `put` lines. */
export interface HeadRecord {
  format: string
  version: number
  /** The newest revision given out when the file was begun. */
  revision: number
  /** How many of the next lines are that state. */
  objects: number
}

/** The object is now this one. */
interface PutRecord {
  put: [resource: string, namespace: string, name: string]
  revision: number
  /** The revision that was safe on disk before this line was written. */
  after: number
  object: Resource
}

/** The object is gone. */
interface DeleteRecord {
  delete: [resource: string, namespace: string, name: string]
  revision: number
  after: number
}

export type ChangeRecord = PutRecord | DeleteRecord
export type JournalRecord = HeadRecord | ChangeRecord

export const keyParts = ({ resource, namespace, name }: ResourceKey): [string, string, string] => [
  resource,
  namespace,
  name,
]

export function recordKey(record: ChangeRecord): ResourceKey {
  const [resource, namespace, name] = 'put' in record ? record.put : record.delete
  return { resource, namespace, name }
}

/** The line of a record, line end included. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record)
  return `${checksum(json)} ${json}\n`
}

/** The record of a line without its end, or `undefined` when the line is damaged. */
export function decodeRecord(line: Buffer): JournalRecord | undefined {
  if (line.length < checksumCharacters + 3 || line[checksumCharacters] !== space) return undefined
  const json = line.subarray(checksumCharacters + 1)
  if (line.toString('latin1', 0, checksumCharacters) !== checksum(json)) return undefined
  return JSON.parse(json.toString()) as JournalRecord
}

const checksumCharacters = 8
const space = 0x20
const checksum = (json: string | Buffer): string => crc32(json).toString(16).padStart(checksumCharacters, '0')
