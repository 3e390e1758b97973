// Texts of manifests: YAML documents, or JSON objects one after the other as `kubectl get -o json` and jq write them.
import { parseYaml } from './yaml.ts'
import type { YamlDocument } from './yaml.ts'

/**
 * All documents of a text. Where it is no YAML, but begins with `{`, its JSON objects need nothing between them, or
 * `---` lines, after which it may go on in YAML. Source: apimachinery's YAMLOrJSONDecoder.
 */
export function parseYamlOrJson(text: string): YamlDocument[] {
  const documents = parseYaml(text)
  const isBroken = documents.some(({ problem }) => problem !== undefined)
  return isBroken && beginning.test(text) ? parseJsonStream(text) : documents
}

const beginning = /^[\ufeff\s]*\{/

function parseJsonStream(text: string): YamlDocument[] {
  const documents: YamlDocument[] = []
  const lines = new LineCount(text)
  let from = 0
  for (;;) {
    const gap = gapAt(text, from)
    from += gap.length
    if (from === text.length) return documents
    const line = lines.at(from)
    if (text[from] !== '{') {
      if (gap.includes('-')) return [...documents, ...parseYaml(text.slice(from)).map((rest) => moved(rest, line - 1))]
      const message = `expected the next JSON object or the end, got "${text.slice(from, from + excerptCharacters)}"`
      return [...documents, { value: undefined, problem: { line, message } }]
    }
    const end = endOfObject(text, from)
    if (end === undefined) {
      const message = `the text ends inside the JSON object that begins at line ${line}`
      return [...documents, { value: undefined, problem: { line: lines.at(text.trimEnd().length), message } }]
    }
    // JSON is YAML; this reader knows lines, and minds names that are there twice.
    for (const document of parseYaml(text.slice(from, end))) documents.push(moved(document, line - 1))
    from = end
  }
}

const excerptCharacters = 20

/** What may stand before an object: white space and separators. */
function gapAt(text: string, from: number): string {
  gapPattern.lastIndex = from
  return gapPattern.exec(text)?.[0] ?? ''
}

const gapPattern = /(?:[\ufeff\s]+|(?<=^|\n)---(?=\s|$))*/y

/** Where the object that begins at `from` is closed. Whether it is well-formed is the parser's to say. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0
  let isInString = false
  tokenPattern.lastIndex = from
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) {
    const [token] = match
    if (token === '"') isInString = !isInString
    if (isInString) continue
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth === 0) return tokenPattern.lastIndex
  }
  return undefined
}

/** Brackets, quotes, and what a backslash takes with it. Tokens stay short: a string may be megabytes long. */
const tokenPattern = /[{}[\]"]|\\./gs

const moved = ({ value, problem }: YamlDocument, lines: number): YamlDocument =>
  problem === undefined ? { value } : { value, problem: { ...problem, line: problem.line + lines } }

/** Lines of places that only go forward, so that a text is counted once. */
class LineCount {
  #text: string
  #place = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  at(place: number): number {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#place)
      if (end === -1 || end >= place) return this.#line
      this.#line++
      this.#place = end + 1
    }
  }
}
