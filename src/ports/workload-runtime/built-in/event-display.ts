// The image event_display: prints each event. Sources: knative/eventing cmd/event_display, cloudevents/sdk-go v2/event.
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import type { BuiltInImage } from './program.ts'
import { eventReceiver } from './receiver.ts'

export const eventDisplay: BuiltInImage = {
  names: /^event[_-]display$/,
  description: 'prints the events it receives',
  start: ({ stdout }) => ({
    kind: 'server',
    handle: eventReceiver((event) => stdout(`☁️  cloudevents.Event\n${eventText(event)}`)),
  }),
}

/** Context attributes in the order of their printing; all others are extensions. */
const shownAttributes: Record<string, string[]> = {
  '1.0': ['specversion', 'type', 'source', 'subject', 'id', 'time', 'dataschema', 'datacontenttype'],
  '0.3': [
    'specversion',
    'type',
    'source',
    'subject',
    'id',
    'time',
    'schemaurl',
    'datacontenttype',
    'datacontentencoding',
  ],
}

/** An event as the SDK for Go prints it. */
export function eventText({ attributes, data }: CloudEvent): string {
  const shown = shownAttributes[String(attributes.get('specversion'))] ?? shownAttributes['1.0']!
  const line = (name: string): string => `  ${name}: ${String(attributes.get(name))}\n`
  const extensions = [...attributes.keys()].filter((name) => !shown.includes(name)).sort()
  return [
    'Context Attributes,\n',
    ...shown.filter((name) => attributes.has(name)).map(line),
    ...(extensions.length === 0 ? [] : ['Extensions,\n', ...extensions.map(line)]),
    ...(data === undefined ? [] : ['Data,\n  ', dataText(data, String(attributes.get('datacontenttype') ?? '')), '\n']),
  ].join('')
}

function dataText(data: Uint8Array, contentType: string): string {
  const text = Buffer.from(data).toString()
  const mediaType = contentType.split(';', 1)[0]!.trim()
  return mediaType === 'application/json' ? indentJson(text) : text
}

/**
 * Go's json.Indent with prefix and indent of two spaces: the tokens stay as they were written, only white space
 * changes. Text that is no JSON is returned as it is.
 */
function indentJson(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    return text
  }
  let depth = 0
  const newLine = (): string => `\n  ${'  '.repeat(depth)}`
  const tokens = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  let indented = ''
  for (const [at, token] of tokens.entries()) {
    if (token === '{' || token === '[') {
      depth++
      indented += isClosing(tokens[at + 1]) ? token : token + newLine()
    } else if (isClosing(token)) {
      depth--
      indented += isOpening(tokens[at - 1]) ? token : newLine() + token
    } else if (token === ',') indented += token + newLine()
    else indented += token === ':' ? ': ' : token
  }
  return indented
}

const isOpening = (token: string | undefined): boolean => token === '{' || token === '['
const isClosing = (token: string | undefined): boolean => token === '}' || token === ']'
