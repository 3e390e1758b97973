// YAML as Kubernetes' tools read and write it: version 1.1 with the exceptions of Go's parser.
import { LineCounter, parseAllDocuments, stringify } from 'yaml'
import type { DocumentOptions, ParseOptions, SchemaOptions, Tags } from 'yaml'
import { messageOf } from '../../base/errors.ts'

export interface YamlDocument {
  /** The plain value; `null` for an empty document. */
  value: unknown
  /** The first thing that does not parse, with its line from 1 in the whole text. Then there is no value. */
  problem?: { line: number; message: string }
}

/**
 * All documents of a text. In YAML 1.1 `y`, `on` and `0777` are a boolean, another and 511, as kubectl users know, but
 * dates and `1:30` stay text, as in sigs.k8s.io/yaml.
 */
export function parseYaml(text: string): YamlDocument[] {
  const lineCounter = new LineCounter()
  const parsed = parseAllDocuments(text, { ...readOptions, lineCounter })
  if ('empty' in parsed) return []
  return parsed.map((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      const { line } = lineCounter.linePos(error.pos[0])
      return { value: undefined, problem: { line, message: error.message.split('\n', 1)[0]! } }
    }
    try {
      return { value: document.toJS() as unknown }
    } catch (thrown) {
      // An alias without an anchor, or too many of them.
      const { line } = lineCounter.linePos(document.range[0])
      return { value: undefined, problem: { line, message: messageOf(thrown) } }
    }
  })
}

/** A value as block YAML that 1.1 and 1.2 readers understand alike. */
export function writeYaml(value: unknown): string {
  return stringify(value, { version: '1.1', compat: 'core', lineWidth: 0, aliasDuplicateObjects: false })
}

const readOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  merge: true,
  prettyErrors: false,
  customTags: (tags: Tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        (tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME')),
    ),
}
