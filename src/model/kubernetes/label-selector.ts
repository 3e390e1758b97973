// Label selectors as text: `app=a,tier in (x,y)`. Source: kubernetes/apimachinery pkg/labels/selector.go.
import { KnodeError } from '../../base/errors.ts'

export type LabelMatcher = (labels: Readonly<Record<string, string>> | undefined) => boolean

/** Parses a selector. @throws {KnodeError} USAGE naming the part that does not parse. */
export function parseLabelSelector(text: string): LabelMatcher {
  const parts = splitOutsideParentheses(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const requirements = parts.map(parseRequirement)
  return (labels = {}) => requirements.every((holds) => holds(labels))
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean

function parseRequirement(part: string): Requirement {
  const set = /^([^\s!=<>,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part)
  if (set !== null) {
    const values = set[3]!.split(',').map((value) => value.trim())
    return requirement(set[1]!, set[2] === 'in' ? 'In' : 'NotIn', values)
  }
  const compared = /^([^\s!=<>,()]+)\s*(==|=|!=)\s*([^\s=!<>,()]*)$/.exec(part)
  if (compared !== null) return requirement(compared[1]!, compared[2] === '!=' ? 'NotIn' : 'In', [compared[3]!])
  const ordered = /^([^\s!=<>,()]+)\s*([<>])\s*(-?\d+)$/.exec(part)
  if (ordered !== null) return requirement(ordered[1]!, ordered[2] === '>' ? 'Gt' : 'Lt', [ordered[3]!])
  const absent = /^!\s*([^\s!=<>,()]+)$/.exec(part)
  if (absent !== null) return requirement(absent[1]!, 'DoesNotExist', [])
  if (/^[^\s!=<>,()]+$/.test(part)) return requirement(part, 'Exists', [])
  throw new KnodeError('USAGE', `unable to parse requirement: "${part}"`, {
    hint: 'write selectors like app=shop,tier!=cache,env in (dev,test),!legacy',
  })
}

function requirement(key: string, operator: string, values: string[]): Requirement {
  switch (operator) {
    case 'In':
      return (labels) => Object.hasOwn(labels, key) && values.includes(labels[key]!)
    case 'NotIn':
      return (labels) => !Object.hasOwn(labels, key) || !values.includes(labels[key]!)
    case 'Exists':
      return (labels) => Object.hasOwn(labels, key)
    case 'Gt':
    case 'Lt': {
      const [bound = ''] = values
      return (labels) => Object.hasOwn(labels, key) && isBeyond(labels[key]!, operator, BigInt(bound))
    }
    default:
      return (labels) => !Object.hasOwn(labels, key)
  }
}

/** Whether the label's value is a whole number above, or below, the bound. */
function isBeyond(value: string, operator: 'Gt' | 'Lt', bound: bigint): boolean {
  if (!/^[+-]?\d+$/.test(value)) return false
  const number = BigInt(value.replace('+', ''))
  return operator === 'Gt' ? number > bound : number < bound
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '(') depth++
    if (text[index] === ')') depth--
    if (text[index] !== ',' || depth > 0) continue
    parts.push(text.slice(start, index))
    start = index + 1
  }
  return [...parts, text.slice(start)]
}

/** A selector as objects hold it. Source: kubernetes/apimachinery meta/v1 LabelSelector. */
export interface LabelSelectorObject {
  matchLabels?: Readonly<Record<string, string>>
  matchExpressions?: readonly { key?: string; operator?: string; values?: readonly string[] }[]
}

/** Whether labels have all that a selector object asks for; an empty one is met by all. */
export function matchesSelector(selector: LabelSelectorObject, labels: Readonly<Record<string, string>> = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key = '', operator = '', values = [] }) =>
      requirement(key, operator, [...values])(labels),
    )
  )
}

/** A selector object as text that {@link parseLabelSelector} reads. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelectorObject): string {
  const pairs = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const rules = matchExpressions.map(({ key = '', operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`
  })
  return [...pairs.sort(), ...rules].join(',')
}
