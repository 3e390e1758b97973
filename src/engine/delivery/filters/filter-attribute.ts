// How filters see an attribute: as text, under the names that Knative knows. Source: knative/eventing pkg/eventfilter.
import { attributeText } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { essenceOf } from '../../../model/cloudevents/media-type.ts'

/** Names that are not simply those of an attribute: 0.3's name of `dataschema`, and the content type without parameters. */
const readers: ReadonlyMap<string, (event: CloudEvent) => string | undefined> = new Map([
  ['dataschema', dataSchema],
  ['schemaurl', dataSchema],
  ['datamediatype', (event) => textOr(attributeText(event, 'datacontenttype'), essenceOf)],
])

/** Reads the attribute that `exact`, `prefix`, `suffix` or `filter.attributes` name. */
export function filterAttributeReader(name: string): (event: CloudEvent) => string | undefined {
  return readers.get(name) ?? ((event) => attributeText(event, name))
}

const specialPrefix = 'filter:'

/** The matcher's name for what {@link filterAttributeReader} reads; CESQL reads attributes as they are. */
export const columnName = (name: string): string => (readers.has(name) ? specialPrefix + name : name)

/** The attribute behind a column that is not read as it is, or `undefined`. */
export const specialColumnName = (column: string): string | undefined =>
  column.startsWith(specialPrefix) ? column.slice(specialPrefix.length) : undefined

function dataSchema(event: CloudEvent): string | undefined {
  return attributeText(event, 'dataschema') ?? attributeText(event, 'schemaurl')
}

const textOr = (text: string | undefined, map: (text: string) => string): string | undefined =>
  text === undefined ? undefined : map(text)
