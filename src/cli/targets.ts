// Objects as commands name them: `broker default`, `broker/a trigger/b`, `broker,trigger`.
import { KnodeError } from '../base/errors.ts'
import type { ApiResource, Discovery } from './discovery.ts'

/** One kind, and one of its objects or (without a name) all. */
export interface Target {
  resource: ApiResource
  name?: string
}

/** @throws {KnodeError} USAGE for unknown kinds and mixed forms. */
export function parseTargets(words: readonly string[], discovery: Discovery): Target[] {
  const withSlash = words.filter((word) => word.includes('/'))
  if (withSlash.length > 0) {
    if (withSlash.length < words.length) {
      throw new KnodeError('USAGE', `"${words.join(' ')}" mixes KIND NAME and KIND/NAME`, {
        hint: 'use one of the two',
      })
    }
    return words.map((word) => {
      const [kind = '', name = '', ...more] = word.split('/')
      if (name === '' || more.length > 0) throw new KnodeError('USAGE', `"${word}" is not KIND/NAME`)
      return { resource: theOne(kind, discovery), name }
    })
  }
  const [kinds = '', ...names] = words
  const resources = kinds.split(',').flatMap((kind) => discovery.named(kind))
  if (names.length === 0) return resources.map((resource) => ({ resource }))
  return resources.flatMap((resource) => names.map((name) => ({ resource, name })))
}

function theOne(kind: string, discovery: Discovery): ApiResource {
  const [resource, ...others] = discovery.named(kind)
  if (resource === undefined || others.length > 0) throw new KnodeError('USAGE', `"${kind}" is more than one kind`)
  return resource
}

/** The namespace of a request: none for kinds that have none. */
export const namespaceOf = (resource: ApiResource, namespace: string): string | undefined =>
  resource.namespaced ? namespace : undefined
