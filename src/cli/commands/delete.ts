// knode delete: objects go, by name or as manifests name them.
import { KnodeError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { ApiClient } from '../api-client.ts'
import { loadManifests } from '../apply-manifests.ts'
import { connectionFlags, defineCommand, filesFlag, namespaceFlag } from '../command.ts'
import { discover, kindLabel, pathOf } from '../discovery.ts'
import type { ApiResource } from '../discovery.ts'
import { complaint } from '../complaint.ts'
import { namespaceOf, parseTargets } from '../targets.ts'
import { watchObject } from '../watch-object.ts'

/** An object that is to go. */
interface Doomed {
  resource: ApiResource
  namespace: string | undefined
  name: string
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
    all: { type: 'boolean', description: 'every object of the kind in the namespace' },
    'ignore-not-found': { type: 'boolean', description: 'an object that is not there is no failure' },
    'no-wait': { type: 'boolean', description: 'return as soon as the deletion is accepted' },
    ...connectionFlags,
  },
  async run({ flags, positionals }, { terminal, connect, signal, clock }) {
    const isByFile = flags.filename.length > 0
    if (isByFile === positionals.length > 0) {
      throw new KnodeError('USAGE', 'delete takes either -f or KIND NAME', { hint: 'see: knode delete --help' })
    }
    const read = isByFile ? await loadManifests(flags, terminal) : { manifests: [], problems: [] }
    const client = await connect()
    const discovery = await discover(client)
    const inNamespace = flags.namespace ?? client.namespace
    const doomed: Doomed[] = read.manifests.map(({ object }) => {
      const resource = discovery.of(object)
      const namespace = namespaceOf(resource, object.metadata.namespace ?? inNamespace)
      return { resource, namespace, name: object.metadata.name }
    })
    if (!isByFile) {
      for (const { resource, name } of parseTargets(positionals, discovery)) {
        const namespace = namespaceOf(resource, inNamespace)
        if (name === undefined && !flags.all) {
          throw new KnodeError('USAGE', `which ${resource.plural}? None is named`, { hint: 'name them, or add --all' })
        }
        const names = name === undefined ? await namesOf(client, resource, namespace) : [name]
        doomed.push(...names.map((one) => ({ resource, namespace, name: one })))
      }
    }
    let failures = read.problems.length
    for (const one of doomed) {
      const label = `${kindLabel(one.resource)} "${one.name}"`
      try {
        await deleteOne(client, one, { signal, clock, wait: !flags['no-wait'] })
        terminal.out(`${label} deleted\n`)
      } catch (error) {
        if (error instanceof StatusError && error.code === 404 && flags['ignore-not-found']) continue
        if (!(error instanceof StatusError)) throw error
        failures++
        terminal.err(complaint(error, terminal))
      }
    }
    return failures > 0 ? 1 : 0
  },
})

async function namesOf(client: ApiClient, resource: ApiResource, namespace: string | undefined): Promise<string[]> {
  const { body } = await client.call<{ items: Resource[] }>({ path: pathOf(resource, namespace) })
  return body.items.map(({ metadata }) => metadata.name)
}

async function deleteOne(
  client: ApiClient,
  { resource, namespace, name }: Doomed,
  { wait, signal, clock }: { wait: boolean; signal: AbortSignal; clock: Clock },
): Promise<void> {
  const { body } = await client.call<{ metadata?: { uid?: string } }>({
    method: 'DELETE',
    path: pathOf(resource, namespace, name),
    body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
  })
  // An object that lingers is answered itself; one that is gone, by a Status.
  const { uid } = body.metadata ?? {}
  if (!wait || uid === undefined) return
  for await (const state of watchObject(client, { resource, namespace, name }, { signal, clock })) {
    if (state === undefined || state.metadata.uid !== uid) return
  }
  signal.throwIfAborted()
}
