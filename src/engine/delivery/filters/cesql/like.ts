// LIKE patterns, matched without regular expressions so that no pattern is slow. Source: CloudEvents SQL 1.0, section 3.4.3.

/** A run of characters between two `%`; `undefined` stands for `_`, any one character. */
type Run = (string | undefined)[]

/** The runs between the `%` signs; `abc` has one, `a%b` has two. */
function parsePattern(pattern: string): Run[] {
  const runs: Run[] = [[]]
  const characters = Array.from(pattern)
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!
    const next = characters[index + 1]
    if (character === '%') runs.push([])
    else if (character === '_') runs.at(-1)!.push(undefined)
    else if (character === '\\' && (next === '%' || next === '_')) {
      runs.at(-1)!.push(next)
      index++
    } else runs.at(-1)!.push(character)
  }
  return runs
}

/** What a pattern without `_` and with at most one `%` at an end asks for; other patterns give `undefined`. */
export function likeShape(pattern: string): { kind: 'exact' | 'prefix' | 'suffix'; text: string } | undefined {
  const runs = parsePattern(pattern)
  if (runs.some((run) => run.includes(undefined))) return undefined
  const [first = '', last = ''] = runs.map((run) => run.join(''))
  if (runs.length === 1) return { kind: 'exact', text: first }
  if (runs.length > 2) return undefined
  if (last === '') return { kind: 'prefix', text: first }
  return first === '' ? { kind: 'suffix', text: last } : undefined
}

/** A test of whole strings; time is at most the product of both lengths. */
export function compileLike(pattern: string): (value: string) => boolean {
  const runs = parsePattern(pattern)
  return runs.some((run) => run.includes(undefined)) ? likeRuns(runs) : likeTexts(runs.map((run) => run.join('')))
}

function likeTexts(texts: string[]): (value: string) => boolean {
  const [first = '', ...middle] = texts
  const last = middle.pop()
  if (last === undefined) return (value) => value === first
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false
    let from = first.length
    const to = value.length - last.length
    for (const text of middle) {
      const found = value.indexOf(text, from)
      if (found < 0 || found + text.length > to) return false
      from = found + text.length
    }
    return true
  }
}

function likeRuns(runs: Run[]): (value: string) => boolean {
  const [first = [], ...middle] = runs
  const last = middle.pop()
  const least = runs.reduce((sum, run) => sum + run.length, 0)
  return (value) => {
    const characters = Array.from(value)
    if (characters.length < least || !fits(characters, 0, first)) return false
    if (last === undefined) return characters.length === first.length
    const to = characters.length - last.length
    if (!fits(characters, to, last)) return false
    let from = first.length
    for (const run of middle) {
      while (from + run.length <= to && !fits(characters, from, run)) from++
      if (from + run.length > to) return false
      from += run.length
    }
    return true
  }
}

function fits(characters: string[], at: number, run: Run): boolean {
  for (let index = 0; index < run.length; index++) {
    if (run[index] !== undefined && run[index] !== characters[at + index]) return false
  }
  return true
}
