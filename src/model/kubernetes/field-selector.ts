// Field selectors: `metadata.name=a,status.phase!=Active`. Source: kubernetes/apimachinery pkg/fields/selector.go.
import { KnodeError } from '../../base/errors.ts'

export interface FieldRequirement {
  field: string
  /** False for `!=`. */
  equals: boolean
  value: string
}

/** Parses the text form; `\` escapes `\`, `,` and `=`. @throws {KnodeError} USAGE with Kubernetes' message. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitUnescaped(text)
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^((?:\\.|[^\\!=])*)(==|!=|=)((?:\\.|[^\\=])*)$/s.exec(part)
      if (match === null) throw new KnodeError('USAGE', `invalid selector: '${text}'; can't understand '${part}'`)
      const [, field = '', operator, value = ''] = match
      return { field, equals: operator !== '!=', value: value.replace(/\\([\\,=])/g, '$1') }
    })
}

/** Whether an object's fields fulfil all requirements; a missing field counts as `''`. */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  valueOf: (field: string) => string | undefined,
): boolean {
  return requirements.every(({ field, equals, value }) => ((valueOf(field) ?? '') === value) === equals)
}

function splitUnescaped(text: string): string[] {
  const parts: string[] = []
  let part = ''
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    if (character === ',') {
      parts.push(part)
      part = ''
      continue
    }
    part += character
    if (character === '\\' && index + 1 < text.length) part += text[++index]!
  }
  return [...parts, part]
}
