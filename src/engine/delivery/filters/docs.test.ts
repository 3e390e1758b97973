// Runs what docs/choosing-events.md and docs/cesql.md promise.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { AttributeValue, CloudEvent } from '../../../model/cloudevents/event.ts'
import { parseYaml } from '../../../model/kubernetes/yaml.ts'
import { compileCesql } from './cesql/compile.ts'
import { CesqlParseError } from './cesql/error.ts'
import { compileFilters } from './compile.ts'
import { dataFilterAnnotation, filterSpecOf } from './spec.ts'
import { validateDataFilter, validateFilters } from './validate.ts'

const readDoc = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')

type TriggerPart = Parameters<typeof filterSpecOf>[0]

function eventOf(text: string): CloudEvent {
  const { data, ...attributes } = JSON.parse(text) as Record<string, unknown>
  const all = { id: '1', source: '/docs', type: 'docs', ...(attributes as Record<string, AttributeValue>) }
  return cloudEvent(all, data === undefined ? undefined : JSON.stringify(data))
}

describe('docs/choosing-events.md: each example gets the events it says', () => {
  const pairs = [...readDoc('choosing-events.md').matchAll(/```yaml\n([^]*?)```\n\n```text\n([^]*?)```/g)]
  const seen = new Set<string>()
  for (const [, yaml = '', lines = ''] of pairs) {
    const trigger = { metadata: {}, ...(parseYaml(yaml)[0]?.value as Partial<TriggerPart>) }
    const spec = filterSpecOf(trigger)
    for (const word of yaml.matchAll(/([\w./-]+):/g)) seen.add(word[1]!)
    test(yaml, () => {
      assert.deepEqual(
        validateFilters(spec.filters ?? []).filter(({ level }) => level !== 'warning'),
        [],
      )
      assert.deepEqual(spec.dataFilter === undefined ? [] : validateDataFilter(spec.dataFilter), [])
      const filter = compileFilters(spec)
      for (const line of lines.trim().split('\n')) {
        const [verdict, event] = [line.slice(0, 5).trim(), eventOf(line.slice(5))]
        assert.ok(verdict === 'gets' || verdict === 'not', line)
        assert.equal(filter.passes(event), verdict === 'gets', `${line}\n${filter.explain(event).reason}`)
      }
    })
  }

  test('every dialect has an example', () => {
    for (const dialect of [
      'exact',
      'prefix',
      'suffix',
      'all',
      'any',
      'not',
      'cesql',
      'attributes',
      dataFilterAnnotation,
    ]) {
      assert.ok(seen.has(dialect), dialect)
    }
  })
})

describe('docs/cesql.md: each expression gives what the tables say', () => {
  const doc = readDoc('cesql.md')
  const event = cloudEvent({ id: '1', source: '/', type: 't', subject: 's', hop: 5 })
  const outcome = (text: string): string => {
    try {
      const { value, error } = compileCesql(text).evaluate(event)
      return error?.type ?? JSON.stringify(value)
    } catch (error) {
      assert.ok(error instanceof CesqlParseError)
      return 'ParseError'
    }
  }
  const section = (title: string): string =>
    doc
      .slice(doc.indexOf(`## ${title}`))
      .slice(3)
      .split('\n## ')[0]!
  const surprises = [...section('Worth knowing').matchAll(/^\| `(.+?)` \|.*\| (\S+) \|$/gm)]
  const differences = [...section('Where Knative').matchAll(/^\| `(.+?)` \| (\S+) \|/gm)]
  test('both tables are read', () => assert.ok(surprises.length >= 11 && differences.length >= 5))
  for (const [, expression, gives] of [...surprises, ...differences]) {
    test(`${expression} → ${gives}`, () => assert.equal(outcome(expression!), gives))
  }
})
