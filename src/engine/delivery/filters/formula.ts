// A condition over the facts of the index: what is true when some facts are, and which facts are worth watching.
import type { Fact } from './attribute-column.ts'
import type { Predicate } from './condition.ts'

/** `Owner` is the filter that states it. */
export type Formula<Owner> =
  | { kind: 'all' | 'any'; parts: Formula<Owner>[] }
  | { kind: 'fact'; fact: Fact<Owner>; wanted: boolean }
  /** Only running the filter tells. */
  | { kind: 'test' }

/** Whether the formula is true when exactly the facts marked with `number` are; `undefined` when a test decides. */
export function evaluate<Owner>(formula: Formula<Owner>, number: number): boolean | undefined {
  switch (formula.kind) {
    case 'test':
      return undefined
    case 'fact':
      return (formula.fact.trueIn === number) === formula.wanted
    default: {
      const decisive = formula.kind === 'any'
      let result: boolean | undefined = !decisive
      for (const part of formula.parts) {
        const truth = evaluate(part, number)
        if (truth === decisive) return decisive
        if (truth === undefined) result = undefined
      }
      return result
    }
  }
}

/** Facts of which at least one is true whenever the formula is, and how often that will call for a look. */
interface Plan<Owner> {
  keys: ReadonlySet<Fact<Owner>>
  cost: number
}

/** Rough likelihoods that a fact of this kind is true of an event; only their order matters. */
const costs: Record<Predicate['kind'], number> = {
  exact: 1,
  prefix: 4,
  suffix: 4,
  expression: 8,
  filled: 64,
  present: 64,
}

export function planOf<Owner>(formula: Formula<Owner>): Plan<Owner> | undefined {
  switch (formula.kind) {
    case 'test':
      return undefined
    case 'fact': {
      const { fact, wanted } = formula
      return wanted ? { keys: new Set([fact]), cost: costs[fact.predicate.kind] * (1 + fact.wakes.size) } : undefined
    }
    case 'any': {
      let plan: Plan<Owner> = { keys: new Set(), cost: 0 }
      for (const part of formula.parts) {
        const more = planOf(part)
        if (more === undefined) return undefined
        plan = { keys: plan.keys.union(more.keys), cost: plan.cost + more.cost }
      }
      return plan
    }
    case 'all': {
      let best: Plan<Owner> | undefined
      for (const part of formula.parts) {
        const plan = planOf(part)
        if (plan !== undefined && (best === undefined || plan.cost < best.cost)) best = plan
      }
      return best
    }
  }
}

/** Of the facts whose opposite the formula demands, the one that most filters speak of: it bars most at once. */
export function barOf<Owner>(formula: Formula<Owner>): Fact<Owner> | undefined {
  if (formula.kind === 'fact') return formula.wanted ? undefined : formula.fact
  if (formula.kind !== 'all') return undefined
  let best: Fact<Owner> | undefined
  for (const part of formula.parts) {
    const bar = barOf(part)
    if (bar !== undefined && (best === undefined || bar.mentions > best.mentions)) best = bar
  }
  return best
}
