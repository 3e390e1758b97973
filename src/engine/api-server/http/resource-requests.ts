// Requests for stored objects: which verb a request is, and what the operations make of it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { isNamespaced, resourceName } from '../../kind.ts'
import type { KindDefinition, UserInfo, Verb } from '../../kind.ts'
import { unsupportedPatch } from '../api-errors.ts'
import type { KindRegistry } from '../kind-registry.ts'
import type { KindTarget, Operations, PatchType, Subresource, WriteResult } from '../operations.ts'
import { scaleOf } from '../scale.ts'
import { chooseForm } from './accept.ts'
import { addWarnings, sendObject, sendText } from './answers.ts'
import type { ResourcePath } from './api-path.ts'
import type { Chunks } from './chunks.ts'
import { deleteAll } from './delete-collection.ts'
import { allVerbs, subresourcesOf } from './discovery.ts'
import { listAnswer, listBody, objectBody } from './list.ts'
import { decodeBody, mediaTypeOf, readBody } from './request-body.ts'
import { isTrue, readDeleteOptions, readWriteOptions } from './request-options.ts'
import { readSelection } from './selection.ts'
import { serveWatch } from './watch.ts'

export interface ResourceDeps {
  operations: Operations
  registry: KindRegistry
  chunks: Chunks
  clock: Clock
  random: Random
  log: Logger
  stopping: AbortSignal
}

/** A request that has come through the guard. */
export interface GuardedRequest {
  request: IncomingMessage
  response: ServerResponse
  path: ResourcePath
  query: URLSearchParams
  user: UserInfo
}

/** Answers a request for stored objects. @throws {StatusError} for whatever is wrong with it. */
export async function answerResourceRequest(guarded: GuardedRequest, deps: ResourceDeps): Promise<void> {
  const { request, response, path } = guarded
  const target = deps.registry.byPlural(path.group, path.version, path.plural)
  const verb = target === undefined ? undefined : verbOf(guarded, target.kind)
  if (target === undefined || verb === undefined) return sendText(response, 404, '404 page not found\n')
  if (verb === 'none' || !verbsOf(target.kind, path.subresource).includes(verb)) {
    throw methodNotSupported(target.kind, verb === 'none' ? (request.method ?? '').toLowerCase() : verb)
  }
  const { deprecationWarning } = target.kind.versions.find(({ name }) => name === target.version)!
  if (deprecationWarning !== undefined) addWarnings(response, [deprecationWarning])
  await handlers[verb](guarded, target, deps)
}

const verbsOf = (kind: KindDefinition, subresource: string | undefined): readonly Verb[] =>
  subresource === undefined ? (kind.verbs ?? allVerbs) : (subresourcesOf(kind)[subresource] ?? [])

/** Undefined when there is nothing at that path; `none` when nothing there takes this method. */
function verbOf({ request, path, query }: GuardedRequest, kind: KindDefinition): Verb | 'none' | undefined {
  const { namespace, name, subresource } = path
  const namespaced = isNamespaced(kind)
  if (namespace !== undefined && !namespaced) return undefined
  if (subresource !== undefined && !Object.hasOwn(subresourcesOf(kind), subresource)) return undefined
  if (name !== undefined) {
    return namespaced && namespace === undefined ? undefined : (itemVerbs[request.method ?? ''] ?? 'none')
  }
  if (request.method === 'GET') return isTrue(query.get('watch')) ? 'watch' : 'list'
  // Without a namespace, namespaced objects can only be looked at.
  if (namespaced && namespace === undefined) return 'none'
  return collectionVerbs[request.method ?? ''] ?? 'none'
}

const itemVerbs: Record<string, Verb> = { GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const collectionVerbs: Record<string, Verb> = { POST: 'create', DELETE: 'deletecollection' }

const methodNotSupported = (kind: KindDefinition, action: string): StatusError =>
  new StatusError(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${resourceName(kind)}"`, {
    ...(kind.group !== '' && { group: kind.group }),
    kind: kind.plural,
  })

type Handler = (guarded: GuardedRequest, target: KindTarget, deps: ResourceDeps) => Promise<void>

const handlers: Record<Verb, Handler> = {
  async get({ request, response, path, query }, target, { operations, clock }) {
    const form = chooseForm(request.headers.accept)
    const object = await operations.get(target, path.namespace ?? '', path.name!)
    if (path.subresource === 'scale') return sendObject(request, response, scaleOf(target.kind, object))
    await sendObject(request, response, objectBody(target, object, form, query, clock.now()), { syntax: form.syntax })
  },

  async list({ request, response, path, query }, target, { operations, chunks, clock }) {
    const form = chooseForm(request.headers.accept)
    const deps = { operations, chunks, nowMs: clock.now() }
    const body = await listAnswer(target, path.namespace, query, form, deps)
    await sendObject(request, response, body, { syntax: form.syntax })
  },

  async watch({ request, response, path, query }, target, deps) {
    await serveWatch(response, target, path.namespace, query, chooseForm(request.headers.accept), deps)
  },

  async create(guarded, target, deps) {
    const { request, query, path, user } = guarded
    const options = readWriteOptions('CreateOptions', request, query, user)
    const body = decodeBody(await readBody(request), mediaTypeOf(request))
    await sendWritten(guarded, target, await deps.operations.create(target, path.namespace ?? '', body, options), deps)
  },

  async update(guarded, target, deps) {
    const { request, query, path, user } = guarded
    const options = { ...readWriteOptions('UpdateOptions', request, query, user), ...subresourceOf(path) }
    const body = decodeBody(await readBody(request), mediaTypeOf(request))
    const written = await deps.operations.update(target, path.namespace ?? '', path.name!, body, options)
    await sendWritten(guarded, target, written, deps)
  },

  async patch(guarded, target, deps) {
    const { request, query, path, user } = guarded
    const type = patchTypeOf(mediaTypeOf(request), target.kind)
    const options = {
      ...readWriteOptions('PatchOptions', request, query, user, type === 'apply'),
      ...subresourceOf(path),
    }
    const body = decodeBody(await readBody(request), mediaTypeOf(request))
    const written = await deps.operations.patch(target, path.namespace ?? '', path.name!, { type, body }, options)
    await sendWritten(guarded, target, written, deps)
  },

  async delete(guarded, target, { operations, clock }) {
    const { request, response, path, query } = guarded
    const options = await deleteOptionsOf(guarded)
    const { object, gone } = await operations.delete(target, path.namespace ?? '', path.name!, options)
    const form = chooseForm(request.headers.accept)
    if (!gone) return sendObject(request, response, objectBody(target, object, form, query, clock.now()))
    await sendObject(request, response, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: path.name,
        ...(target.kind.group !== '' && { group: target.kind.group }),
        kind: target.kind.plural,
        // kubectl waits for this very object; without it a namesake would keep it waiting.
        uid: object.metadata.uid,
      },
    })
  },

  async deletecollection(guarded, target, { operations, clock }) {
    const { request, response, path, query } = guarded
    const options = await deleteOptionsOf(guarded)
    const selection = readSelection(target.kind, query)
    const { items, revision } = await operations.list(target, path.namespace)
    const deleted = await deleteAll(operations, target, items.filter(selection.matches), options)
    const form = chooseForm(request.headers.accept)
    const body = listBody(target, deleted, { resourceVersion: revision }, form, query, clock.now())
    await sendObject(request, response, body)
  },
}

async function sendWritten(
  { request, response, path, query }: GuardedRequest,
  target: KindTarget,
  { object, created, warnings }: WriteResult,
  { clock }: ResourceDeps,
): Promise<void> {
  const form = chooseForm(request.headers.accept)
  addWarnings(response, warnings)
  if (path.subresource === 'scale') return sendObject(request, response, object)
  const body = objectBody(target, object, form, query, clock.now())
  await sendObject(request, response, body, { code: created ? 201 : 200, syntax: form.syntax })
}

async function deleteOptionsOf({ request, query, user }: GuardedRequest) {
  const bytes = await readBody(request)
  const body = bytes.length === 0 ? undefined : decodeBody(bytes, mediaTypeOf(request))
  return readDeleteOptions(body, query, user)
}

const subresourceOf = ({ subresource }: ResourcePath): { subresource?: Subresource } =>
  subresource === undefined ? {} : { subresource: subresource as Subresource }

const patchTypes = new Map<string, PatchType>([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/apply-patch+yaml', 'apply'],
  ['application/strategic-merge-patch+json', 'strategic'],
])

/** @throws {StatusError} 415 for a type the kind does not take; kubectl picks another one by it. */
function patchTypeOf(mediaType: string, { builtIn = false }: KindDefinition): PatchType {
  const type = patchTypes.get(mediaType)
  if (type !== undefined && (builtIn || type !== 'strategic')) return type
  throw unsupportedPatch([...patchTypes.keys()].filter((known) => builtIn || patchTypes.get(known) !== 'strategic'))
}
