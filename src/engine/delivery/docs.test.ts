// Checks what docs/delivery.md shows: each example is accepted and means something, and each annotation has one.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { deliveryFlags, parseDelivery, validateDelivery } from '../../model/duck/delivery.ts'
import type { DeliverySpec } from '../../model/duck/types.ts'
import { parseYaml } from '../../model/kubernetes/yaml.ts'
import {
  dedupWindowMs,
  deliveryAnnotations,
  doorAnnotations,
  deliveryControls,
  validateDeliveryAnnotations,
  validateDoorAnnotations,
} from './annotations.ts'
import { dataFilterAnnotation } from './filters/spec.ts'
import { validateDataFilter } from './filters/validate.ts'

interface Example {
  metadata?: { annotations: Record<string, string> }
  spec?: { delivery: DeliverySpec }
}

const text = readFileSync(new URL('../../../docs/delivery.md', import.meta.url), 'utf8')
const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = '']) => parseYaml(yaml)[0]?.value as Example)
const annotated = examples.flatMap(({ metadata }) => Object.entries(metadata?.annotations ?? {}))

for (const [name, value] of annotated) {
  test(`docs/delivery.md: ${name}: ${value}`, () => {
    const annotations = { [name]: value }
    const dataFilter = name === dataFilterAnnotation ? validateDataFilter(value) : []
    const errors = [...validateDeliveryAnnotations(annotations), ...validateDoorAnnotations(annotations), ...dataFilter]
    assert.deepEqual(errors, [])
    if (name === dataFilterAnnotation) return
    const means = { ...deliveryControls(annotations), dedupMs: dedupWindowMs(annotations) }
    assert.notDeepEqual(means, { paused: false, dedupMs: undefined })
  })
}

test('docs/delivery.md: every annotation has an example, and no other stands there', () => {
  const known = [...deliveryAnnotations, ...doorAnnotations, dataFilterAnnotation].toSorted()
  assert.deepEqual(annotated.map(([name]) => name).toSorted(), known)
})

test('docs/delivery.md: the example of retries is a valid delivery', () => {
  const { delivery } = examples.find(({ spec }) => spec !== undefined)!.spec!
  assert.deepEqual(validateDelivery(delivery, deliveryFlags({})), [])
  const { retries, backoff, timeoutMs } = parseDelivery(delivery)
  assert.deepEqual([retries, backoff, timeoutMs], [5, { policy: 'exponential', delayMs: 500 }, 10_000])
})
