import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { DigestLookup } from './digest-lookup.ts'

test('a lookup that has ended leaves no timer, whether it waits for an answer or for its next try', async () => {
  const container = { name: 'main', namespace: 'default', image: 'some:tag', env: {} }
  const asks = [() => new Promise<never>(() => undefined), () => Promise.reject(new Error('away'))]
  for (const ask of asks) {
    const clock = new FakeClock()
    const lookup = new DigestLookup({
      containers: [container],
      ask,
      timeoutMs: 10_000,
      onChange: () => undefined,
      clock,
    })
    await clock.advance(0)
    assert.equal(clock.pendingTimers, 1)
    await lookup[Symbol.asyncDispose]()
    assert.equal(clock.pendingTimers, 0)
  }
})
