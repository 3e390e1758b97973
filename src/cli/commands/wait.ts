// knode wait: returns when objects have come to a state, or says why they have not.
import { KnodeError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { Condition, KResourceStatus } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ApiClient } from '../api-client.ts'
import { loadManifests } from '../apply-manifests.ts'
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
    const client = await connect()
    const discovery = await discover(client)
    const awaited: Awaited[] = []
    if (flags.filename.length > 0) {
      const { manifests, problems } = await loadManifests(flags, terminal)
      if (problems.length > 0) return 1
      for (const { object } of manifests) {
        const resource = discovery.of(object)
        const inNamespace = object.metadata.namespace ?? flags.namespace ?? client.namespace
        // Namespaces, ConfigMaps and the like have no Ready to wait for.
        if (goal.kind === 'condition' && !hasConditions(resource)) continue
        awaited.push({ resource, namespace: namespaceOf(resource, inNamespace), name: object.metadata.name })
      }
    } else {
      awaited.push(...(await namedTargets(client, discovery, positionals, flags)))
    }
    const timeoutMs = flags.timeout ?? timeoutMsDefault
    const deadline = new AbortController()
    const cancel = clock.setTimer(timeoutMs, () => deadline.abort())
    let failures = 0
    for (const one of awaited) {
      const label = `${kindLabel(one.resource)}/${one.name}`
      const last = await waitFor(client, one, goal, { signal, deadline: deadline.signal, clock })
      signal.throwIfAborted()
      if (last === 'reached') {
        terminal.out(`${label} ${goal.kind === 'deleted' ? 'deleted' : 'condition met'}\n`)
      } else {
        failures++
        terminal.err(complaint(timedOut(one, goal, last, discovery.wordFor(one.resource)), terminal))
      }
    }
    cancel()
    return failures > 0 ? 1 : 0
  },
})

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
