// Names of headers are their senders' choice: what is remembered of them is bounded, and changes no meaning.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { readEvent, writeBinary } from './http-binding.ts'

const required = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't']
const nameBytes = 524_288
const nothing = new Uint8Array(0)

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

/** As many long names as places are remembered, each one flat text of its own. */
const longNames = (prefix: string): string[] =>
  Array.from({ length: 60 }, (_, index) => Buffer.alloc(nameBytes, `${prefix}${index % 10}`).toString('latin1'))

/** In functions of their own, as what a function names lives while it runs. */
function readLongNames(prefix: string): void {
  readEvent([...required, ...longNames(prefix).flatMap((name) => [name, 'v'])], nothing)
}

function readLongAttribute(name: string): void {
  const { event } = readEvent([...required, `ce-${name}`, 'v'], nothing)
  assert.equal(event.attributes.size, 5)
  writeBinary(event)
}

test('long names are kept by nobody, not even until the next message of the same form', () => {
  const before = heapBytes()
  for (const prefix of ['x-', 'knative-']) readLongNames(prefix)
  for (const prefix of ['a', 'b']) readLongAttribute(longNames(prefix)[0]!)
  const kept = heapBytes() - before
  assert.ok(kept < 10 * nameBytes, `${kept} bytes are kept`)
})

test('a header that takes the place of another is read as what it is, short or long', () => {
  const long = `ce-${'l'.repeat(100)}`
  for (const name of ['ce-a', long, 'CE-a', 'x-request-id', long, 'ce-a', 'content-type', long]) {
    const { event } = readEvent([name, 'v', ...required], nothing)
    const attribute = name === 'content-type' ? 'datacontenttype' : name.toLowerCase().replace(/^ce-/, '')
    assert.equal(event.attributes.get(attribute), name === 'x-request-id' ? undefined : 'v', name)
    assert.equal(event.attributes.get('id'), '1')
  }
})
