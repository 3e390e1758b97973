import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { createHttpClient } from './http-client.ts'
import { resolveLimits } from './limits.ts'
import { startSubscriber } from './scripted-subscriber.ts'
import { sharedLookup } from './shared-lookup.ts'
import { eventually } from '../../base/eventually.ts'

type Callback = Parameters<LookupFunction>[2]

/** Lookups that are answered by hand. */
function aResolver() {
  const asked: { hostname: string; found: Callback }[] = []
  const lookup: LookupFunction = (hostname, _options, found) => void asked.push({ hostname, found })
  return { asked, lookup: sharedLookup(lookup) }
}

test('who asks for a host that is being asked for shares the answer; who asks later asks anew', () => {
  const { asked, lookup } = aResolver()
  const seen: unknown[] = []
  const found: Callback = (error, address) => void seen.push(error?.code ?? address)
  for (let count = 0; count < 3; count++) lookup('dead.example', { family: 4 }, found)
  lookup('dead.example', { family: 6 }, found)
  lookup('other.example', { family: 4 }, found)
  assert.deepEqual(
    asked.map(({ hostname }) => hostname),
    ['dead.example', 'dead.example', 'other.example'],
  )
  asked[0]!.found(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }), '')
  asked[2]!.found(null, '10.0.0.1', 4)
  assert.deepEqual(seen, ['EAI_AGAIN', 'EAI_AGAIN', 'EAI_AGAIN', '10.0.0.1'])
  lookup('dead.example', { family: 4 }, found)
  assert.equal(asked.length, 4)
})

test('many tries at a host whose name server is silent ask for it once', async () => {
  const { asked, lookup } = aResolver()
  await using subscriber = await startSubscriber(() => ({ status: 200 }))
  const clock = new FakeClock()
  await using client = createHttpClient({ clock, limits: resolveLimits(), lookup })
  const origin = subscriber.url.replace('127.0.0.1', 'shop.example')
  const exchanges = Array.from({ length: 100 }, () =>
    client.exchange({ origin, pool: origin, path: '/', headers: { host: 'x' }, body: undefined, timeoutMs: 1_000 }),
  )
  await eventually(() => asked.length > 0, 'the lookup')
  asked[0]!.found(null, [{ address: '127.0.0.1', family: 4 }])
  const answers = await Promise.all(exchanges)
  assert.ok(answers.every(({ kind }) => kind === 'answer'))
  assert.equal(asked.length, 1)
})
