// Manifests become objects by server-side apply; each is reported in kubectl's words.
import { isDeepStrictEqual } from 'node:util'
import { readManifests } from '../app/manifests.ts'
import type { Manifest, Manifests } from '../app/manifests.ts'
import { KnodeError, messageOf } from '../base/errors.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import type { ApiClient } from './api-client.ts'
import { discover, kindLabel, pathOf } from './discovery.ts'
import type { ApiResource, Discovery } from './discovery.ts'
import { complaint } from './complaint.ts'
import { namespaceOf } from './targets.ts'
import { without } from './metadata.ts'
import { readInput } from './terminal.ts'
import type { Terminal } from './terminal.ts'

const fieldManager = 'knode'

export interface ApplyOptions {
  client: ApiClient
  terminal: Terminal
  /** What `-n` names; objects of another namespace are refused. */
  namespace?: string | undefined
  dryRun?: boolean
  /** Takes over fields that other managers own. */
  forceConflicts?: boolean
}

/** Reads what `-f` names. Everything wrong is told at once. @throws {KnodeError} USAGE when nothing is named */
export async function loadManifests(
  flags: { filename: string[]; recursive: boolean },
  terminal: Terminal,
): Promise<Manifests> {
  if (flags.filename.length === 0) {
    throw new KnodeError('USAGE', 'no manifest is named', { hint: 'name a file, a directory or - with -f' })
  }
  const readStdin = async (): Promise<string> => (await readInput(terminal)).toString('utf8')
  const read = await readManifests(flags.filename, { readStdin, recursive: flags.recursive })
  for (const file of read.skipped)
    terminal.err(`${terminal.paint('dim', `skipped ${file}: no Kubernetes object in it`)}\n`)
  for (const problem of read.problems) terminal.err(complaint(problem, terminal))
  return read
}

/**
 * Applies all it can and returns how many it could not. Namespaces come first, the rest in order.
 * @throws {Error} AbortError when the client's signal aborts
 */
export async function applyManifests(manifests: readonly Manifest[], options: ApplyOptions): Promise<number> {
  const { client, terminal } = options
  const ordered = [...manifests.filter(isNamespace), ...manifests.filter((manifest) => !isNamespace(manifest))]
  let discovery = await discover(client)
  let failures = 0
  for (const manifest of ordered) {
    try {
      const { line, isNewKind } = await applyOne(manifest, discovery, options)
      terminal.out(`${line}\n`)
      if (isNewKind) discovery = await discover(client)
    } catch (error) {
      // Who was told to stop has nothing to say about the rest.
      if (error instanceof Error && error.name === 'AbortError') throw error
      failures++
      terminal.err(complaint(located(error, manifest), terminal))
      // Without a server the others fail alike.
      if (error instanceof KnodeError && error.code === 'API_UNREACHABLE') return ordered.length
    }
  }
  return failures
}

export const isNamespace = ({ object }: Manifest): boolean => object.apiVersion === 'v1' && object.kind === 'Namespace'

async function applyOne(
  { object }: Manifest,
  discovery: Discovery,
  options: ApplyOptions,
): Promise<{ line: string; isNewKind: boolean }> {
  const { client, dryRun = false, forceConflicts = false } = options
  const resource = discovery.of(object)
  const namespace = placeOf(object, resource, options)
  const path = pathOf(resource, namespace, object.metadata.name)
  const before = await getOrNothing(client, path)
  const { status, body } = await client.call<Resource>({
    method: 'PATCH',
    path,
    // JSON is YAML, and unlike YAML it is read alike by everybody.
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager, fieldValidation: 'Strict', force: forceConflicts, dryRun: dryRun ? 'All' : undefined },
    body: applicable(object, namespace),
  })
  const isCreated = status === 201 || before === undefined
  const outcome = isCreated ? 'created' : isSameWish(before, body) ? 'unchanged' : 'configured'
  const line = `${kindLabel(resource)}/${object.metadata.name} ${outcome}${dryRun ? ' (server dry run)' : ''}`
  return { line, isNewKind: resource.plural === 'customresourcedefinitions' && outcome !== 'unchanged' }
}

/**
 * Where an object of a manifest is: its own namespace, else the one that `-n` or the kubeconfig names.
 * @throws {KnodeError} BAD_MANIFEST when the manifest and `-n` name different ones
 */
export function placeOf(
  object: Resource,
  resource: ApiResource,
  { client, namespace }: Pick<ApplyOptions, 'client' | 'namespace'>,
): string | undefined {
  const own = object.metadata.namespace
  if (resource.namespaced && own !== undefined && namespace !== undefined && own !== namespace) {
    throw new KnodeError('BAD_MANIFEST', `its namespace is "${own}", but -n says "${namespace}"`)
  }
  return namespaceOf(resource, own ?? namespace ?? client.namespace)
}

const serverFields = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation']

/** Whether two states differ in nothing but what the server and its controllers write. */
function isSameWish(before: Resource, after: Resource): boolean {
  const wishOf = (object: Resource): unknown => ({
    ...object,
    status: undefined,
    metadata: without(object.metadata, serverFields),
  })
  return isDeepStrictEqual(wishOf(before), wishOf(after))
}

/** The object without what only the server may set, so that what `get -o yaml` prints can be applied again. */
function applicable(object: Resource, namespace: string | undefined): Resource {
  const metadata = without(object.metadata, serverFields)
  return { ...object, metadata: namespace === undefined ? metadata : { ...metadata, namespace } }
}

async function getOrNothing(client: ApiClient, path: string): Promise<Resource | undefined> {
  try {
    return (await client.call<Resource>({ path })).body
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined
    throw error
  }
}

/** The error with the manifest's place and name in front. */
export function located(error: unknown, { origin, object }: Manifest): unknown {
  const message = `${origin}: ${object.kind} ${object.metadata.name}: ${messageOf(error)}`
  if (error instanceof StatusError) return new StatusError(error.code, error.reason, message, error.details)
  if (!(error instanceof KnodeError)) return error
  return new KnodeError(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) })
}
