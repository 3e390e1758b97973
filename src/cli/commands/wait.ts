// knode wait: returns when objects have come to a state, or says why they have not.
import { KnodeError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Condition, KResourceStatus } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ApiClient } from '../api-client.ts'
import type { Manifest } from '../../app/manifests.ts'
import { loadManifests, located, placeOf } from '../apply-manifests.ts'
import { connectionFlags, defineCommand, filesFlag, namespaceFlag } from '../command.ts'
import { discover, kindLabel, pathOf } from '../discovery.ts'
import type { ApiResource, Discovery } from '../discovery.ts'
import { complaint } from '../complaint.ts'
import { namespaceOf, parseTargets } from '../targets.ts'
import { watchObject } from '../watch-object.ts'

const timeoutMsDefault = 30_000

interface Awaited {
  resource: ApiResource
  namespace: string | undefined
  name: string
}

/** What is waited for. */
type Goal = { kind: 'deleted' } | { kind: 'condition'; type: string; status: string }

export const command = defineCommand({
  name: 'wait',
  summary: 'Wait until objects are Ready, or gone',
  usage: '(-f FILE... | KIND NAME... | KIND/NAME... | KIND --all)',
  positionals: { min: 0, max: 1_000 },
  examples: [
    'knode wait broker/default --for=condition=Ready --timeout=10s',
    'knode wait -f manifests/',
    'knode wait trigger billing --for=delete',
  ],
  flags: {
    ...filesFlag,
    ...namespaceFlag,
    all: { type: 'boolean', description: 'every object of the kind in the namespace' },
    for: {
      type: 'text',
      value: 'GOAL',
      description: 'condition=NAME, condition=NAME=STATUS or delete (default condition=Ready)',
    },
    timeout: { type: 'duration', value: 'TIME', description: 'longest wait for all of them (default 30s)' },
    ...connectionFlags,
  },
  async run({ flags, positionals }, { terminal, connect, signal, clock }) {
    const goal = parseGoal(flags.for ?? 'condition=Ready')
    if (flags.filename.length > 0 === positionals.length > 0) {
      throw new KnodeError('USAGE', 'wait takes either -f or KIND NAME', { hint: 'see: knode wait --help' })
    }
    const read = flags.filename.length > 0 ? await loadManifests(flags, terminal) : undefined
    if (read !== undefined && read.problems.length > 0) return 1
    const client = await connect()
    const discovery = await discover(client)
    const awaited =
      read === undefined
        ? await namedTargets(client, discovery, positionals, flags)
        : read.manifests
            .map((manifest) => awaitedOf(manifest, discovery, client, flags.namespace))
            // Namespaces, ConfigMaps and the like have no Ready to wait for.
            .filter(({ resource }) => goal.kind === 'deleted' || hasConditions(resource))
    // Where nothing is, nothing is left to be deleted; but neither is anything Ready.
    const isNothing = read === undefined && awaited.length === 0 && goal.kind !== 'deleted'
    if (isNothing) throw new KnodeError('NOT_FOUND', 'there is nothing to wait for: no object was found')
    const deadline = new AbortController()
    const cancel = clock.setTimer(flags.timeout ?? timeoutMsDefault, () => deadline.abort())
    let failures = 0
    try {
      for (const one of awaited) {
        const last = await waitFor(client, one, goal, { signal, deadline: deadline.signal, clock })
        signal.throwIfAborted()
        if (last === 'reached') {
          const label = `${kindLabel(one.resource)}/${one.name}`
          terminal.out(`${label} ${goal.kind === 'deleted' ? 'deleted' : 'condition met'}\n`)
        } else {
          failures++
          terminal.err(complaint(timedOut(one, goal, last, discovery.wordFor(one.resource)), terminal))
        }
      }
    } finally {
      // A timer that is set keeps the process alive.
      cancel()
    }
    return failures > 0 ? 1 : 0
  },
})

/** @throws {KnodeError} BAD_MANIFEST that names the manifest */
function awaitedOf(
  manifest: Manifest,
  discovery: Discovery,
  client: ApiClient,
  namespace: string | undefined,
): Awaited {
  try {
    const resource = discovery.of(manifest.object)
    const place = placeOf(manifest.object, resource, { client, namespace })
    return { resource, namespace: place, name: manifest.object.metadata.name }
  } catch (error) {
    throw located(error, manifest)
  }
}

function parseGoal(text: string): Goal {
  if (text === 'delete') return { kind: 'deleted' }
  const [word, type = '', status = 'True', ...more] = text.split('=')
  if (word === 'condition' && type !== '' && more.length === 0) return { kind: 'condition', type, status }
  throw new KnodeError('USAGE', `--for: "${text}" is no goal`, {
    hint: 'write condition=Ready, condition=Ready=False or delete',
  })
}

/** Whether objects of the kind ever tell conditions; those of Kubernetes' own data kinds do not. */
const hasConditions = ({ group, kind }: ApiResource): boolean =>
  group.includes('knative.dev') || group === 'apiextensions.k8s.io' || ['Pod', 'Deployment'].includes(kind)

async function namedTargets(
  client: ApiClient,
  discovery: Discovery,
  words: readonly string[],
  flags: { namespace: string | undefined; all: boolean },
): Promise<Awaited[]> {
  const found: Awaited[] = []
  for (const { resource, name } of parseTargets(words, discovery)) {
    const namespace = namespaceOf(resource, flags.namespace ?? client.namespace)
    if (name !== undefined) {
      found.push({ resource, namespace, name })
      continue
    }
    if (!flags.all) {
      throw new KnodeError('USAGE', `which ${resource.plural}? None is named`, { hint: 'name them, or add --all' })
    }
    const { body } = await client.call<{ items: Resource[] }>({ path: pathOf(resource, namespace) })
    found.push(...body.items.map(({ metadata }) => ({ resource, namespace, name: metadata.name })))
  }
  return found
}

/** `reached`, or the last state seen by the deadline; whoever comes late is looked at once. */
async function waitFor(
  client: ApiClient,
  awaited: Awaited,
  goal: Goal,
  { signal, deadline, clock }: { signal: AbortSignal; deadline: AbortSignal; clock: Clock },
): Promise<Resource | 'reached' | undefined> {
  const both = AbortSignal.any([signal, deadline])
  let last: Resource | undefined
  let isSeen = false
  const follow = async (until: AbortSignal): Promise<boolean> => {
    for await (const state of watchObject(client, awaited, { signal: until, clock })) {
      last = state
      isSeen = true
      if (isReached(state, goal)) return true
      if (deadline.aborted) break
    }
    return false
  }
  if (await follow(both).catch(quietWhenAborted(both))) return 'reached'
  return !isSeen && !signal.aborted && (await follow(signal)) ? 'reached' : last
}

function isReached(state: Resource | undefined, goal: Goal): boolean {
  if (goal.kind === 'deleted') return state === undefined
  const { observedGeneration } = (state?.status ?? {}) as KResourceStatus
  // What an older generation had come to says nothing about this one.
  const isStale = observedGeneration !== undefined && observedGeneration < (state?.metadata.generation ?? 0)
  return !isStale && conditionOf(state, goal.type)?.status.toLowerCase() === goal.status.toLowerCase()
}

const conditionOf = (state: Resource | undefined, type: string): Condition | undefined =>
  ((state?.status ?? {}) as KResourceStatus).conditions?.find(
    (condition) => condition.type.toLowerCase() === type.toLowerCase(),
  )

const quietWhenAborted = (signal: AbortSignal) => (error: unknown) => {
  if (signal.aborted) return false
  throw error
}

function timedOut(
  { resource, namespace, name }: Awaited,
  goal: Goal,
  last: Resource | 'reached' | undefined,
  word: string,
): KnodeError {
  const object = `${resource.plural}/${name}`
  const inNamespace = namespace === undefined ? '' : ` -n ${namespace}`
  const see = `knode describe ${word} ${name}${inNamespace}`
  if (goal.kind === 'deleted') {
    return new KnodeError('TIMED_OUT', `timed out waiting for ${object} to be deleted`, { hint: see })
  }
  const condition = last === 'reached' ? undefined : conditionOf(last, goal.type)
  const why = [condition?.reason, condition?.message].filter((part) => part !== undefined && part !== '').join(': ')
  const state =
    last === undefined
      ? 'it does not exist'
      : condition === undefined
        ? `it has no condition ${goal.type}`
        : `${condition.type} is ${condition.status}${why === '' ? '' : ` (${why})`}`
  const message = `timed out waiting for the condition on ${object}: ${state}`
  return new KnodeError('TIMED_OUT', message, { hint: last === undefined ? `knode get ${word} -A` : see })
}
