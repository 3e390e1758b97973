// Which Revisions a Route's traffic means now. Source: knative/serving pkg/reconciler/route/traffic/traffic.go, errors.go.
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { ConditionStatus, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { configurationLabel, serviceLabel } from '../../../model/serving/metadata-keys.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import type { Configuration } from '../configuration/schema.ts'
import type { Revision } from '../revision/schema.ts'
import type { Route } from './schema.ts'

/** A target of the spec, with the Revision it means. */
export interface RevisionTarget {
  revisionName: string
  /** Of the Revision, if it has one. */
  configurationName: string | undefined
  /** `''` has none. */
  tag: string
  percent: number
  latestRevision: boolean
  isH2c: boolean
}

export interface Traffic {
  /** As the status shows them: equal ones made one. */
  flattened: readonly RevisionTarget[]
  /** Who shares the requests of each host, one entry a Revision, by tag; `''` is the Route itself. */
  byTag: ReadonlyMap<string, readonly RevisionTarget[]>
}

/** Why requests cannot go where the spec wants them. */
export interface TrafficProblem {
  /** False is final until something changes. */
  status: Exclude<ConditionStatus, 'True'>
  reason: string
  message: string
}

export interface TrafficLookup {
  configuration(name: string): Configuration | undefined
  revision(name: string): Revision | undefined
}

/** Looks at every target even when one is bad, so that the reader hears of all of them. */
export function resolveTraffic(route: Route, lookup: TrafficLookup): Traffic | TrafficProblem {
  const found = (route.spec.traffic ?? []).map((target) => resolveTarget(target, route, lookup))
  const problems = found.filter(isProblem)
  // The last failure counts, else the first that is not ready.
  const problem = problems.findLast(({ status }) => status === 'False') ?? problems[0]
  if (problem !== undefined) return problem
  const targets = found.flatMap((target) => (isProblem(target) ? [] : [target]))
  const tags = new Set(targets.map(({ tag }) => tag).filter((tag) => tag !== ''))
  return {
    flattened: merged(targets, (a, b) =>
      [a.tag === b.tag, a.revisionName === b.revisionName, a.latestRevision === b.latestRevision].every(Boolean),
    ),
    byTag: new Map([
      ['', consolidated(targets)],
      ...[...tags].sort().map((tag) => [tag, consolidated(targets.filter((target) => target.tag === tag))] as const),
    ]),
  }
}

export const isProblem = (found: Traffic | RevisionTarget | TrafficProblem): found is TrafficProblem =>
  'reason' in found

function resolveTarget(
  { revisionName = '', configurationName = '', tag = '', percent = 0, latestRevision }: TrafficTarget,
  route: Route,
  lookup: TrafficLookup,
): RevisionTarget | TrafficProblem {
  const isPinned = revisionName !== ''
  let name = revisionName
  if (!isPinned) {
    const configuration = lookup.configuration(configurationName)
    if (configuration === undefined) return notFound('Configuration', configurationName)
    name = configuration.status?.latestReadyRevisionName ?? ''
    if (name === '') return configurationProblem(configuration)
  }
  const revision = lookup.revision(name)
  if (revision === undefined) return notFound('Revision', name)
  const foreign = isPinned ? ownershipProblem(revision, route) : undefined
  if (foreign !== undefined) return foreign
  if (!isReadyNow(revision)) return revisionProblem(revision)
  const owner = isPinned ? revision.metadata.labels?.[configurationLabel] : configurationName
  if (isPinned && owner !== undefined && lookup.configuration(owner) === undefined) {
    return notFound('Configuration', owner)
  }
  return {
    revisionName: name,
    configurationName: owner,
    tag,
    percent,
    latestRevision: latestRevision ?? !isPinned,
    isH2c: (revision.spec.containers ?? []).some(({ ports = [] }) => ports.some((port) => port.name === 'h2c')),
  }
}

/** A Service's Route leads to Revisions of that Service only. */
function ownershipProblem(revision: Revision, route: Route): TrafficProblem | undefined {
  const expected = route.metadata.labels?.[serviceLabel] ?? ''
  const actual = revision.metadata.labels?.[serviceLabel] ?? ''
  if (expected === '' || expected === actual) return undefined
  const { name } = revision.metadata
  const message =
    actual === ''
      ? `Revision "${name}" does not belong to Service "${expected}".`
      : `Revision "${name}" belongs to Service "${actual}", not Service "${expected}".`
  return { status: 'False', reason: 'RevisionNotOwned', message }
}

const notFound = (kind: 'Configuration' | 'Revision', name: string): TrafficProblem => ({
  status: 'False',
  reason: `${kind}Missing`,
  message: `${kind} "${name}" referenced in traffic not found.`,
})

function configurationProblem(configuration: Configuration): TrafficProblem {
  const { name } = configuration.metadata
  return hasFailed(configuration)
    ? missing('False', `Configuration "${name}" does not have any ready Revision.`)
    : missing('Unknown', `Configuration "${name}" is waiting for a Revision to become ready.`)
}

function revisionProblem(revision: Revision): TrafficProblem {
  const { name } = revision.metadata
  return hasFailed(revision)
    ? missing('False', `Revision "${name}" failed to become ready.`)
    : missing('Unknown', `Revision "${name}" is not yet ready.`)
}

const missing = (status: TrafficProblem['status'], message: string): TrafficProblem => ({
  status,
  reason: 'RevisionMissing',
  message,
})

const hasFailed = (object: Resource): boolean => conditionOf(object, 'Ready')?.status === 'False'

/** Ready, and that was said of the object as it is. */
export function isReadyNow(object: Resource): boolean {
  const { observedGeneration } = (object.status ?? {}) as KResourceStatus
  return observedGeneration === object.metadata.generation && conditionOf(object, 'Ready')?.status === 'True'
}

/** One entry a Revision; an only one takes all. */
function consolidated(targets: readonly RevisionTarget[]): RevisionTarget[] {
  const shares = merged(targets, (a, b) => a.revisionName === b.revisionName)
  return shares.length === 1 ? [{ ...shares[0]!, percent: 100 }] : shares
}

function merged(
  targets: readonly RevisionTarget[],
  isSame: (a: RevisionTarget, b: RevisionTarget) => boolean,
): RevisionTarget[] {
  const result: RevisionTarget[] = []
  for (const target of targets) {
    const at = result.findIndex((other) => isSame(other, target))
    if (at < 0) result.push(target)
    else result[at] = { ...result[at]!, percent: result[at]!.percent + target.percent }
  }
  return result
}
