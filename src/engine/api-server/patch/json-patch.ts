// JSON Patch. Source: RFC 6902, pointers RFC 6901. Texts of failures as github.com/evanphx/json-patch, which Kubernetes uses.
import { isDeepStrictEqual } from 'node:util'
import { isObject, own, setOwn } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'

/** Most operations in one patch. */
export const patchOperationsMax = 10_000

/** Most bytes that the `copy` operations of one patch may add: copies of copies double each time. */
const patchCopyBytesMax = 3_145_728

/** `malformed`: the patch is no JSON Patch; `failed`: it does not apply to this document, or a `test` is not met. */
export class JsonPatchError extends Error {
  readonly kind: 'malformed' | 'failed'

  constructor(kind: JsonPatchError['kind'], message: string) {
    super(message)
    this.name = 'JsonPatchError'
    this.kind = kind
  }
}

type OperationName = 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'

interface Operation {
  op: OperationName
  path: string
  from: string
  value: unknown
}

/** The document with all operations applied, one after the other; `document` stays as it is. @throws {JsonPatchError} */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  const operations = parsePatch(patch)
  const holder: JsonObject = { '': structuredClone(document) }
  let copiedBytes = 0
  for (const { op, path, from, value } of operations) {
    const target = locate(holder, path, op)
    switch (op) {
      case 'add':
        insert(target, op, structuredClone(value))
        break
      case 'remove':
        take(target, op)
        break
      case 'replace':
        read(target, op, 'key')
        overwrite(target, structuredClone(value))
        break
      case 'move': {
        if (path.startsWith(`${from}/`)) throw failed(op, `${from} cannot move into itself`)
        const moved = take(locate(holder, from, op), op)
        insert(locate(holder, path, op), op, moved)
        break
      }
      case 'copy': {
        const copy = structuredClone(read(locate(holder, from, op), op))
        copiedBytes += Buffer.byteLength(JSON.stringify(copy))
        if (copiedBytes > patchCopyBytesMax) {
          throw failed(op, `the copies add ${copiedBytes} bytes, more than the limit of ${patchCopyBytesMax}`)
        }
        insert(locate(holder, path, op), op, copy)
        break
      }
      case 'test':
        if (!isDeepStrictEqual(peek(target), value)) {
          throw new JsonPatchError('failed', `testing value ${path} failed: test failed`)
        }
        break
    }
  }
  return holder['']
}

function parsePatch(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw new JsonPatchError('malformed', 'a JSON patch must be an array of operations')
  if (patch.length > patchOperationsMax) {
    const message = `The allowed maximum operations in a JSON patch is ${patchOperationsMax}, got ${patch.length}`
    throw new JsonPatchError('malformed', message)
  }
  return patch.map(parseOperation)
}

const needs: Record<OperationName, ('from' | 'value')[]> = {
  add: ['value'],
  remove: [],
  replace: ['value'],
  move: ['from'],
  copy: ['from'],
  test: [],
}

function parseOperation(raw: unknown, at: number): Operation {
  const bad = (why: string): JsonPatchError => new JsonPatchError('malformed', `operation ${at} of the patch ${why}`)
  if (!isObject(raw)) throw bad('is not an object')
  const { op, path, from = '', value = null } = raw
  if (typeof op !== 'string' || !Object.hasOwn(needs, op)) throw bad(`has the unexpected kind ${JSON.stringify(op)}`)
  const name = op as OperationName
  if (typeof path !== 'string') throw bad('has no path')
  if (typeof from !== 'string') throw bad('has a from that is not a string')
  for (const field of needs[name]) if (!Object.hasOwn(raw, field)) throw bad(`has no ${field}`)
  for (const pointer of [path, from]) {
    if (pointer !== '' && !pointer.startsWith('/')) throw bad(`has a path that does not start with "/": ${pointer}`)
  }
  return { op: name, path, from, value }
}

/** A place in a document: `container` is absent when the way to it does not exist. */
interface Location {
  container: JsonObject | unknown[] | undefined
  key: string
  path: string
}

function locate(holder: JsonObject, path: string, op: OperationName): Location {
  const keys = path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = keys.pop() ?? ''
  let container: unknown = holder
  for (const step of keys) container = child(container, step)
  const found = isObject(container) || Array.isArray(container) ? container : undefined
  if (found === undefined && op !== 'test') throw failed(op, `doc is missing path: "${path}": missing value`)
  return { container: found, key, path }
}

function child(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(key) ? container[Number(key)] : undefined
  return isObject(container) ? own(container, key) : undefined
}

const peek = ({ container, key }: Location): unknown => child(container, key) ?? null

function read({ container, key, path }: Location, op: OperationName, what = 'path'): unknown {
  const value = child(container, key)
  if (value === undefined)
    throw failed(op, `doc is missing ${what}: ${what === 'key' ? path : `"${path}"`}: missing value`)
  return value
}

function insert({ container, key, path }: Location, op: OperationName, value: unknown): void {
  if (!Array.isArray(container)) return setOwn(container ?? {}, key, value)
  const index = key === '-' ? container.length : /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN
  if (!(index <= container.length))
    throw failed(op, `Unable to access invalid index: ${path}: invalid index referenced`)
  container.splice(index, 0, value)
}

function overwrite({ container, key }: Location, value: unknown): void {
  if (Array.isArray(container)) container[Number(key)] = value
  else setOwn(container ?? {}, key, value)
}

function take(location: Location, op: OperationName): unknown {
  const { container, key } = location
  const value = read(location, op)
  if (Array.isArray(container)) container.splice(Number(key), 1)
  else if (container !== undefined) delete container[key]
  return value
}

const failed = (op: OperationName, why: string): JsonPatchError =>
  new JsonPatchError('failed', `${op} operation does not apply: ${why}`)
