// knode delete: objects go, by name or as manifests name them.
import { KnodeError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { ApiClient } from '../api-client.ts'
import { isNamespace, loadManifests, located, placeOf } from '../apply-manifests.ts'
import { connectionFlags, defineCommand, filesFlag, namespaceFlag } from '../command.ts'
import { discover, kindLabel, pathOf } from '../discovery.ts'
import type { ApiResource, Discovery } from '../discovery.ts'
import { complaint } from '../complaint.ts'
import { namespaceOf, parseTargets } from '../targets.ts'
import { watchObject } from '../watch-object.ts'

/** An object that is to go. */
interface Doomed {
  resource: ApiResource
  namespace: string | undefined
  name: string
}

interface Going extends Doomed {
  /** Of an object that lingers. */
  uid: string | undefined
}

export const command = defineCommand({
  name: 'delete',
  summary: 'Delete objects, by name or as manifests name them',
  usage: '(-f FILE... | KIND NAME... | KIND --all)',
  positionals: { min: 0, max: 1_000 },
  details: 'Waits until the objects are gone, finalizers included.',
  examples: ['knode delete -f broker.yaml', 'knode delete trigger billing audit', 'knode delete trigger --all -n shop'],
  flags: {
    ...filesFlag,
    ...namespaceFlag,
    all: { type: 'boolean', description: 'every object of the kind in the namespace, as far as they are still there' },
    'ignore-not-found': { type: 'boolean', description: 'an object that is not there is no failure' },
    'no-wait': { type: 'boolean', description: 'return as soon as the deletion is accepted' },
    ...connectionFlags,
  },
  async run({ flags, positionals }, { terminal, connect, signal, clock }) {
    const isByFile = flags.filename.length > 0
    if (isByFile === positionals.length > 0) {
      throw new KnodeError('USAGE', 'delete takes either -f or KIND NAME', { hint: 'see: knode delete --help' })
    }
    const { manifests, problems } = isByFile ? await loadManifests(flags, terminal) : { manifests: [], problems: [] }
    const client = await connect()
    const discovery = await discover(client)
    const doomed = await namedObjects(client, discovery, positionals, flags)
    let failures = problems.length
    // What is in a Namespace goes first: with the Namespace it would be gone before its turn.
    for (const manifest of [...manifests.filter((one) => !isNamespace(one)), ...manifests.filter(isNamespace)]) {
      try {
        const resource = discovery.of(manifest.object)
        const namespace = placeOf(manifest.object, resource, { client, namespace: flags.namespace })
        doomed.push({ resource, namespace, name: manifest.object.metadata.name })
      } catch (error) {
        failures++
        terminal.err(complaint(located(error, manifest), terminal))
      }
    }
    // Of all objects some may go with others that are deleted before them.
    const mayBeMissing = flags['ignore-not-found'] || flags.all
    const going: Going[] = []
    for (const one of doomed) {
      try {
        going.push({ ...one, uid: await deleteOne(client, one) })
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        if (error.code === 404 && mayBeMissing) continue
        failures++
        terminal.err(complaint(error, terminal))
      }
    }
    // Only now, when all are on their way: they may wait for each other.
    for (const one of going) {
      if (!flags['no-wait']) await untilGone(client, one, { signal, clock })
      terminal.out(`${kindLabel(one.resource)} "${one.name}" deleted\n`)
    }
    return failures > 0 ? 1 : 0
  },
})

async function namedObjects(
  client: ApiClient,
  discovery: Discovery,
  words: readonly string[],
  flags: { namespace: string | undefined; all: boolean },
): Promise<Doomed[]> {
  const found: Doomed[] = []
  for (const { resource, name } of words.length === 0 ? [] : parseTargets(words, discovery)) {
    const namespace = namespaceOf(resource, flags.namespace ?? client.namespace)
    if (name === undefined && !flags.all) {
      throw new KnodeError('USAGE', `which ${resource.plural}? None is named`, { hint: 'name them, or add --all' })
    }
    const names = name === undefined ? await namesOf(client, resource, namespace) : [name]
    found.push(...names.map((one) => ({ resource, namespace, name: one })))
  }
  return found
}

async function namesOf(client: ApiClient, resource: ApiResource, namespace: string | undefined): Promise<string[]> {
  const { body } = await client.call<{ items: Resource[] }>({ path: pathOf(resource, namespace) })
  return body.items.map(({ metadata }) => metadata.name)
}

/** Returns the uid of an object that lingers, nothing when it is gone. */
async function deleteOne(client: ApiClient, { resource, namespace, name }: Doomed): Promise<string | undefined> {
  const { body } = await client.call<{ metadata?: { uid?: string } }>({
    method: 'DELETE',
    path: pathOf(resource, namespace, name),
    body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
  })
  // An object that lingers is answered itself; one that is gone, by a Status.
  return body.metadata?.uid
}

async function untilGone(
  client: ApiClient,
  { uid, ...place }: Going,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<void> {
  if (uid === undefined) return
  for await (const state of watchObject(client, place, { signal, clock })) {
    if (state === undefined || state.metadata.uid !== uid) return
  }
  signal.throwIfAborted()
}
