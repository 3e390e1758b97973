// The conditions of one object and how `Ready` follows from them. Source: knative/pkg apis/condition_set.go.
import type { Resource } from '../kubernetes/resource.ts'
import type { Condition, ConditionStatus, KResourceStatus } from './types.ts'

export interface ConditionRules {
  /** Condition types that `Ready` depends on; all others only inform. */
  dependents: readonly string[]
}

const happy = 'Ready'

/** The condition of that type, if the object has it. */
export function conditionOf(resource: Resource, type: string): Condition | undefined {
  const status: KResourceStatus | undefined = resource.status
  return status?.conditions?.find((condition) => condition.type === type)
}

/** Whether the object says that it is Ready. */
export const isReady = (resource: Resource): boolean => conditionOf(resource, happy)?.status === 'True'

/** Marks conditions over what is stored, and gives the list to store. Times are set once, at the end. */
export class ConditionSet {
  #dependents: ReadonlySet<string>
  #stored = new Map<string, Condition>()
  #current = new Map<string, Condition>()
  /** How new each condition is: stored ones by their time, the ones marked here after all of them, in order. */
  #age = new Map<string, number>()
  #marks = 0

  constructor(rules: ConditionRules, stored: readonly Condition[] = []) {
    this.#dependents = new Set(rules.dependents)
    for (const condition of stored) {
      this.#stored.set(condition.type, condition)
      this.#current.set(condition.type, condition)
      this.#age.set(condition.type, Date.parse(condition.lastTransitionTime ?? '') || 0)
    }
  }

  /** Adds what is missing: `Ready` Unknown; its dependents Unknown, or True when `Ready` is. */
  initialize(): void {
    if (!this.#current.has(happy)) this.#set(happy, 'Unknown')
    const status = this.status(happy) === 'True' ? 'True' : 'Unknown'
    for (const type of this.#dependents) if (!this.#current.has(type)) this.#set(type, status)
  }

  markTrue(type: string, reason?: string, message?: string): void {
    this.#set(type, 'True', reason, message)
    const unhappy = this.#newestUnhappy()
    if (unhappy !== undefined) this.#set(happy, unhappy.status, unhappy.reason, unhappy.message)
    else if (type !== happy) this.#set(happy, 'True')
  }

  markFalse(type: string, reason: string, message: string): void {
    this.#set(type, 'False', reason, message)
    if (this.#dependents.has(type)) this.#set(happy, 'False', reason, message)
  }

  markUnknown(type: string, reason: string, message: string): void {
    this.#set(type, 'Unknown', reason, message)
    // What failed weighs more than what is not known.
    const failed = [...this.#dependents].some((dependent) => this.status(dependent) === 'False')
    if (failed && this.status(happy) !== 'False') this.#set(happy, 'False', reason, message)
    if (!failed && this.#dependents.has(type)) this.#set(happy, 'Unknown', reason, message)
  }

  status(type: string): ConditionStatus | undefined {
    return this.#current.get(type)?.status
  }

  /** The conditions sorted by type. Each that differs from what was stored gets `time` (RFC 3339), others keep theirs. */
  list(time: string): Condition[] {
    return [...this.#current.values()]
      .sort((a, b) => (a.type < b.type ? -1 : 1))
      .map((condition) => {
        const stored = this.#stored.get(condition.type)
        const kept = stored !== undefined && isSame(stored, condition) ? stored.lastTransitionTime : undefined
        return { ...condition, lastTransitionTime: kept ?? time }
      })
  }

  #set(type: string, status: ConditionStatus, reason = '', message = ''): void {
    const condition: Condition = {
      type,
      status,
      ...(type === happy || this.#dependents.has(type) ? {} : { severity: 'Info' as const }),
      ...(reason === '' ? {} : { reason }),
      ...(message === '' ? {} : { message }),
    }
    const before = this.#current.get(type)
    if (before !== undefined && isSame(before, condition)) return
    this.#current.set(type, condition)
    this.#age.set(type, Number.MAX_SAFE_INTEGER / 2 + this.#marks++)
  }

  /** What `Ready` has to repeat: the newest False, else the newest Unknown, else that something is missing. */
  #newestUnhappy(): Pick<Condition, 'status' | 'reason' | 'message'> | undefined {
    if (this.#dependents.size === 0) return undefined
    const gating = [...this.#current.values()]
      .filter(({ type, severity = '' }) => type !== happy && severity === '')
      .sort((a, b) => this.#age.get(b.type)! - this.#age.get(a.type)!)
    const unhappy = gating.find(({ status }) => status === 'False') ?? gating.find(({ status }) => status === 'Unknown')
    return unhappy ?? (gating.length < this.#dependents.size ? { status: 'Unknown' } : undefined)
  }
}

const isSame = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  (a.severity ?? '') === (b.severity ?? '') &&
  (a.reason ?? '') === (b.reason ?? '') &&
  (a.message ?? '') === (b.message ?? '')
