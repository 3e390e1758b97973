// Names of child objects that fit into 63 characters. Source: knative/pkg kmeta/names.go.
import { createHash } from 'node:crypto'

const nameCharactersMax = 63
const md5Characters = 32

/** `parent + suffix`, shortened with a hash so that it stays unique and at most 63 characters long. */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= nameCharactersMax) return parent + suffix
  const head = nameCharactersMax - md5Characters
  if (suffix.length < head) return trimmed(parent.slice(0, head - suffix.length) + md5(parent) + suffix)
  const hashed = parent.slice(0, head) + md5(parent + suffix)
  return trimmed(hashed + suffix.slice(0, nameCharactersMax - hashed.length))
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
const trimmed = (name: string): string => name.replace(/[^a-z0-9A-Z]+$/, '')
