// Which old Revisions of a Configuration may go. Source: knative/serving pkg/reconciler/gc/gc.go, pkg/gc/config.go.
import { parseGoDuration } from '../../../model/kubernetes/go-duration.ts'
import {
  noGcAnnotation,
  routingStateLabel,
  routingStateModifiedAnnotation,
} from '../../../model/serving/metadata-keys.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import type { Revision } from '../revision/schema.ts'

/** ConfigMap `config-gc`; `undefined` where it says "disabled". */
export interface RetentionRules {
  sinceCreateMs: number | undefined
  sinceLastActiveMs: number | undefined
  nonActiveMin: number
  nonActiveMax: number | undefined
}

export function retentionRules(data: ConfigData): RetentionRules {
  return {
    sinceCreateMs: duration(data['retain-since-create-time'], 48 * 3_600_000),
    sinceLastActiveMs: duration(data['retain-since-last-active-time'], 15 * 3_600_000),
    nonActiveMin: count(data['min-non-active-revisions']) ?? 20,
    nonActiveMax: isDisabled(data['max-non-active-revisions'])
      ? undefined
      : (count(data['max-non-active-revisions']) ?? 1_000),
  }
}

export interface Collection {
  /** Revisions to delete, oldest first. */
  surplus: Revision[]
  /** When the next one may have to go, if time alone brings that. */
  nextMs: number | undefined
}

/** Pure. `revisions` are all of one Configuration. */
export function collectRevisions(
  revisions: readonly Revision[],
  latestReady: string | undefined,
  rules: RetentionRules,
  nowMs: number,
): Collection {
  const { sinceCreateMs, sinceLastActiveMs, nonActiveMin, nonActiveMax } = rules
  const hasAges = sinceCreateMs !== undefined || sinceLastActiveMs !== undefined
  const reserve = revisions
    .filter((revision) => isReserve(revision) && revision.metadata.name !== latestReady)
    .sort((a, b) => lastActiveMs(a) - lastActiveMs(b))
  const deletable = reserve.length - nonActiveMin
  if (deletable <= 0 || (!hasAges && nonActiveMax === undefined)) return { surplus: [], nextMs: undefined }

  const staleAtMs = new Map(reserve.map((revision) => [revision, staleFromMs(revision, rules)]))
  const isStale = (revision: Revision): boolean => staleAtMs.get(revision)! <= nowMs
  const stale = new Set(reserve.filter(isStale).slice(0, deletable))
  const kept = reserve.filter((revision) => !stale.has(revision))
  const overMax = nonActiveMax === undefined ? 0 : Math.max(0, kept.length - nonActiveMax)
  const surplus = [...stale, ...kept.slice(0, overMax)]
  // Only those that are not stale yet become it by waiting.
  const waiting = kept.slice(overMax).filter((revision) => !isStale(revision))
  const mayStillGo = surplus.length < deletable
  const nextMs = Math.min(...waiting.map((revision) => staleAtMs.get(revision)!))
  return { surplus, nextMs: mayStillGo && Number.isFinite(nextMs) ? nextMs : undefined }
}

function isReserve({ metadata: { labels = {}, annotations = {} } }: Revision): boolean {
  return labels[routingStateLabel] === 'reserve' && annotations[noGcAnnotation]?.toLowerCase() !== 'true'
}

/** When both ages are reached; never when both are disabled. */
function staleFromMs(revision: Revision, { sinceCreateMs, sinceLastActiveMs }: RetentionRules): number {
  if (sinceCreateMs === undefined && sinceLastActiveMs === undefined) return Infinity
  return Math.max(
    sinceCreateMs === undefined ? -Infinity : createdMs(revision) + sinceCreateMs,
    sinceLastActiveMs === undefined ? -Infinity : lastActiveMs(revision) + sinceLastActiveMs,
  )
}

const createdMs = ({ metadata }: Revision): number => Date.parse(metadata.creationTimestamp ?? '') || 0

function lastActiveMs(revision: Revision): number {
  return Date.parse(revision.metadata.annotations?.[routingStateModifiedAnnotation] ?? '') || createdMs(revision)
}

function duration(text: string | undefined, otherwise: number): number | undefined {
  if (isDisabled(text)) return undefined
  return parseGoDuration(text ?? '') ?? otherwise
}

const count = (text = ''): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined)

const isDisabled = (text: string | undefined): boolean => text?.toLowerCase() === 'disabled'
