import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interleave } from './list-order.ts'

const examples: [what: string, server: string, wanted: string, others: string, result: string][] = [
  ['items of the server keep their neighbours', 'a x b y', 'a b', 'x y', 'a x b y'],
  ['the wanted order wins', 'a x b', 'b a', 'x', 'x b a'],
  ['new wanted items stay where they are wanted', 'a x b', 'a n b', 'x', 'a n x b'],
  ['several in a row keep their order', 'x y a', 'a', 'x y', 'x y a'],
  ['what the server does not know goes last', 'a b', 'a b', 'n', 'a b n'],
  ['nothing wanted leaves the rest', 'x y', '', 'x y', 'x y'],
]

for (const [what, server, wanted, others, result] of examples) {
  test(`interleaving: ${what}`, () => {
    const items = (text: string): string[] => text.split(' ').filter((word) => word !== '')
    const ranks = items(server)
    assert.deepEqual(
      interleave(items(wanted), items(others), (item) => ranks.indexOf(item)),
      items(result),
    )
  })
}
