import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import type { Random } from '../../base/random.ts'
import { anyObject, boolean, integer, intOrString, list, map, object, string } from '../../model/kubernetes/schema.ts'
import type { Schema } from '../../model/kubernetes/schema.ts'
import { prune, schemaErrors, typeMismatches, withDefaults } from './schema-check.ts'

const schema = object(
  'Whole.',
  {
    name: string('Name.'),
    count: integer('Count.', { format: 'int32', minimum: 0 }),
    level: string('Level.', { enum: ['low', 'high'] }),
    on: boolean('On.', { nullable: true }),
    port: intOrString('Port.'),
    labels: map('Labels.', string('Value.')),
    extra: anyObject('Anything.'),
    ratio: { type: 'number', maximum: 1 },
    steps: list('Steps.', object('Step.', { ref: object('Ref.', { name: string('Name.') }, { required: ['name'] }) })),
    tags: list('Tags.', string('Tag.'), { 'x-kubernetes-list-type': 'set' }),
    jobs: list('Jobs.', object('Job.', { name: string('Name.') }), {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
  },
  { required: ['name'] },
)

test('pruning leaves out what the schema does not know, at any depth, and tells the paths', () => {
  const value = {
    name: 'a',
    foo: 1,
    steps: [{ ref: { name: 'x' } }, { ref: { name: 'y', kind: 'z' }, bar: {} }],
    labels: { any: 'thing' },
    extra: { deep: { down: true } },
  }
  assert.deepEqual(prune(value, schema), {
    value: {
      name: 'a',
      steps: [{ ref: { name: 'x' } }, { ref: { name: 'y' } }],
      labels: { any: 'thing' },
      extra: { deep: { down: true } },
    },
    unknown: ['foo', 'steps[1].ref.kind', 'steps[1].bar'],
  })
})

test('a schema that keeps unknown fields still prunes below the known ones', () => {
  const open: Schema = {
    ...object('Open.', { known: object('Known.', {}) }),
    'x-kubernetes-preserve-unknown-fields': true,
  }
  assert.deepEqual(prune({ known: { a: 1 }, other: { b: 2 } }, open, 'spec'), {
    value: { known: {}, other: { b: 2 } },
    unknown: ['spec.known.a'],
  })
})

test('field names of Object.prototype are fields like any other', () => {
  const hostile = JSON.parse('{"name":"a","__proto__":{"polluted":true},"constructor":1}') as object
  const { value, unknown } = prune(hostile, schema)
  assert.deepEqual(unknown, ['__proto__', 'constructor'])
  assert.equal((value as { polluted?: boolean }).polluted, undefined)
  const labels = JSON.parse('{"__proto__":"x"}') as object
  assert.equal(JSON.stringify(prune({ labels }, schema).value), '{"labels":{"__proto__":"x"}}')
  assert.deepEqual(
    schemaErrors(JSON.parse('{"name":"a","labels":{"__proto__":3}}'), schema).map(({ field }) => field),
    ['labels.__proto__'],
  )
})

const complaints: [string, object, [field: string, reason: string, message: string][]][] = [
  [
    'a wrong type',
    { name: 1 },
    [['name', 'FieldValueTypeInvalid', 'Invalid value: "integer": name in body must be of type string: "integer"']],
  ],
  [
    'a null',
    { name: null },
    [['name', 'FieldValueTypeInvalid', 'Invalid value: "null": name in body must be of type string: "null"']],
  ],
  [
    'a fraction for an integer',
    { name: 'a', count: 1.5 },
    [['count', 'FieldValueTypeInvalid', 'Invalid value: "number": count in body must be of type integer: "number"']],
  ],
  [
    'an object for IntOrString',
    { name: 'a', port: {} },
    [
      [
        'port',
        'FieldValueTypeInvalid',
        'Invalid value: "object": port in body must be of type integer,string: "object"',
      ],
    ],
  ],
  [
    'too small and too large numbers',
    { name: 'a', count: -1, ratio: 2 },
    [
      ['count', 'FieldValueInvalid', 'Invalid value: -1: count in body should be greater than or equal to 0'],
      ['ratio', 'FieldValueInvalid', 'Invalid value: 2: ratio in body should be less than or equal to 1'],
    ],
  ],
  [
    'more than an int32 holds',
    { name: 'a', count: 2 ** 31 },
    [
      [
        'count',
        'FieldValueInvalid',
        'Invalid value: 2147483648: count in body should be less than or equal to 2147483647',
      ],
    ],
  ],
  [
    'a value outside an enum',
    { name: 'a', level: 'mid' },
    [['level', 'FieldValueNotSupported', 'Unsupported value: "mid": supported values: "low", "high"']],
  ],
  [
    'missing required fields, also in lists',
    { steps: [{ ref: {} }] },
    [
      ['name', 'FieldValueRequired', 'Required value'],
      ['steps[0].ref.name', 'FieldValueRequired', 'Required value'],
    ],
  ],
  [
    'duplicates in a set and in a keyed list',
    { name: 'a', tags: ['x', 'y', 'x'], jobs: [{ name: 'j' }, { name: 'j' }] },
    [
      ['tags[2]', 'FieldValueDuplicate', 'Duplicate value: "x"'],
      ['jobs[1]', 'FieldValueDuplicate', 'Duplicate value: {"name":"j"}'],
    ],
  ],
]

for (const [what, value, expected] of complaints) {
  test(`the check complains about ${what}`, () => {
    assert.deepEqual(
      schemaErrors(value, schema).map(({ field, reason, message }) => [field, reason, message]),
      expected,
    )
  })
}

test('what the schema allows passes', () => {
  const value = { name: 'a', count: 0, on: null, port: 'http', ratio: 0.5, tags: ['x'], jobs: [{ name: 'j' }] }
  assert.deepEqual(schemaErrors(value, schema), [])
  assert.deepEqual(schemaErrors({ name: 'a', port: 80, on: false, ratio: 1 }, schema), [])
})

test('type mismatches are told apart from other errors', () => {
  assert.deepEqual(typeMismatches({ count: 'many', level: 'mid', steps: {} }, schema, 'spec'), [
    { path: 'spec.count', expected: ['integer'], actual: 'string' },
    { path: 'spec.steps', expected: ['array'], actual: 'object' },
  ])
})

test('schema defaults fill absent fields and forbidden nulls, below objects that are there', () => {
  const defaults = object('Whole.', {
    mode: string('Mode.', { default: 'Reference' }),
    kept: string('Kept.', { default: 'x', nullable: true }),
    jobs: list('Jobs.', object('Job.', { protocol: string('Protocol.', { default: 'TCP' }) })),
    child: object('Child.', { retry: integer('Retry.', { default: 3 }) }),
    seeded: object('Seeded.', { a: string('A.', { default: 'y' }) }, { default: {} }),
  })
  assert.deepEqual(withDefaults({ mode: null, kept: null, jobs: [{}, { protocol: 'UDP' }] }, defaults), {
    mode: 'Reference',
    kept: null,
    jobs: [{ protocol: 'TCP' }, { protocol: 'UDP' }],
    seeded: { a: 'y' },
  })
  assert.deepEqual(withDefaults({ child: {}, mode: 'Resource', kept: 'k', seeded: { a: 'z' } }, defaults), {
    child: { retry: 3 },
    mode: 'Resource',
    kept: 'k',
    seeded: { a: 'z' },
  })
})

test('for any schema and value: pruning twice changes nothing, keeps types and values, and never touches its input', () => {
  const random = seededRandom(11)
  for (let round = 0; round < 500; round++) {
    const shape = anySchema(random, 3)
    const value = anyValue(random, 4)
    const before = JSON.stringify(value)
    const once = prune(value, shape)
    assert.equal(JSON.stringify(value), before)
    assert.deepEqual(prune(once.value, shape), { value: once.value, unknown: [] })
    assert.deepEqual(typeMismatches(once.value, shape), typeMismatches(value, shape))
    const filled = withDefaults(once.value, shape)
    assert.deepEqual(withDefaults(filled, shape), filled)
  }
})

const names = ['a', 'b', 'c', 'd']
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random.next() * items.length)]!

function anySchema(random: Random, depth: number): Schema {
  const fields = (): Record<string, Schema> =>
    Object.fromEntries(names.filter(() => random.next() < 0.5).map((name) => [name, anySchema(random, depth - 1)]))
  const leaves = [string('S.'), integer('I.'), boolean('B.'), intOrString('P.'), anyObject('A.')]
  if (depth === 0 || random.next() < 0.3) return pick(random, leaves)
  const roll = random.next()
  if (roll < 0.2) return list('L.', anySchema(random, depth - 1))
  if (roll < 0.4) return map('M.', anySchema(random, depth - 1))
  return object('O.', fields())
}

function anyValue(random: Random, depth: number): unknown {
  const roll = random.next()
  if (depth === 0 || roll < 0.3) return pick(random, ['text', 1, 1.5, true, null])
  if (roll < 0.5) return Array.from({ length: Math.floor(random.next() * 3) }, () => anyValue(random, depth - 1))
  return Object.fromEntries(names.filter(() => random.next() < 0.5).map((name) => [name, anyValue(random, depth - 1)]))
}
