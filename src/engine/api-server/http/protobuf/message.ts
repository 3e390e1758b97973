// How the fields of a protobuf message are written down in our tables.

/** What one value is: a scalar of ours, or another message of the table. */
type FieldType = 'string' | 'integer' | 'boolean' | 'bytes' | (string & {})

/** How often the field occurs, what it holds, and its number. */
export interface MessageField {
  name: string
  type: FieldType
  shape: 'one' | 'list' | 'map' | 'inline'
}

export type Message = ReadonlyMap<number, MessageField>

/**
 * Reads `name:number type`, with `[]type` for lists and `{}type` for maps with string keys, parted by commas. `...type` is
 * a message whose fields JSON shows as the outer one's own.
 */
export function message(fields: string): Message {
  return new Map(
    fields.split(',').map((field) => {
      const [, name = '', number, shape, type = ''] = /^\s*(\w+):(\d+) (\[\]|\{\}|\.{3})?(\w+)\s*$/.exec(field)!
      return [Number(number), { name, type, shape: shapes[shape ?? ''] ?? 'one' }]
    }),
  )
}

const shapes: Readonly<Record<string, MessageField['shape']>> = { '[]': 'list', '{}': 'map', '...': 'inline' }
