import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { createFakeRuntime } from './fake/fake-runtime.ts'
import { keepLogs } from './log-keeper.ts'
import type { LogKeeperLimits } from './log-keeper.ts'
import type { LogLine, WorkloadSpec } from './port.ts'

const spec = (name: string, group = 'shop'): WorkloadSpec => ({ name, group, namespace: 'default', image: '', env: {} })

function setUp(limits?: LogKeeperLimits) {
  const clock = new FakeClock()
  const fake = createFakeRuntime({ clock })
  return { clock, fake, runtime: keepLogs(fake, clock, limits) }
}

async function texts(lines: AsyncIterable<LogLine> | undefined): Promise<string[] | undefined> {
  if (lines === undefined) return undefined
  const found: string[] = []
  for await (const { text } of lines) found.push(text)
  return found
}

test('logs are found by the name of an instance and by its group, merged by time', async () => {
  const { clock, fake, runtime } = setUp()
  await runtime.start(spec('a'))
  await runtime.start(spec('b'))
  await runtime.start(spec('c', 'other'))
  fake.started[0]!.print('first')
  await clock.advance(1)
  fake.started[1]!.print('second')
  await clock.advance(1)
  fake.started[0]!.print('third')
  fake.started[2]!.print('elsewhere')
  assert.deepEqual(await texts(runtime.logs('default', 'b')), ['second'])
  assert.deepEqual(await texts(runtime.logs('default', 'shop')), ['first', 'second', 'third'])
  assert.deepEqual(await texts(runtime.logs('default', 'shop', { tailLines: 2 })), ['second', 'third'])
  assert.equal(runtime.logs('other', 'shop'), undefined)
  await runtime[Symbol.asyncDispose]()
})

test('who awaits the first instance follows it by its name or group, whenever it starts', async () => {
  const { fake, runtime } = setUp()
  assert.equal(runtime.logs('default', 'shop', { follow: true }), undefined)
  assert.equal(runtime.logs('default', 'shop', { awaitStart: true }), undefined)
  const leaving = new AbortController()
  const follow = { follow: true, awaitStart: true, signal: leaving.signal }
  const following = ['shop', 'a', 'gone'].map((name) => texts(runtime.logs('default', name, follow)))
  await runtime.start(spec('c', 'other'))
  await runtime.start(spec('a'))
  fake.started[0]!.print('elsewhere')
  fake.started[1]!.print('first')
  await settle()
  leaving.abort()
  assert.deepEqual(await Promise.all(following), [['first'], ['first'], []])
  await runtime[Symbol.asyncDispose]()
})

test('the logs of an ended instance stay for a while, then go', async () => {
  const { clock, fake, runtime } = setUp({ endedMs: 1_000 })
  await runtime.start(spec('a'))
  fake.started[0]!.print('last words')
  fake.started[0]!.end({ code: 1 })
  await clock.advance(999)
  assert.deepEqual(await texts(runtime.logs('default', 'a')), ['last words'])
  await clock.advance(1)
  assert.equal(runtime.logs('default', 'a'), undefined)
})

test('of many ended instances only the newest are kept', async () => {
  const { fake, runtime } = setUp({ endedMax: 2 })
  for (const name of ['a', 'b', 'c']) {
    await runtime.start(spec(name))
    fake.started.at(-1)!.end({ code: 0 })
    await settle()
  }
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => runtime.logs('default', name) !== undefined),
    [false, true, true],
  )
})

test('following a group goes on with instances that start later, until the reader leaves', async () => {
  const { fake, runtime } = setUp()
  await runtime.start(spec('a'))
  fake.started[0]!.print('old')
  const leaving = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const { text } of runtime.logs('default', 'shop', { follow: true, signal: leaving.signal })!) {
      seen.push(text)
    }
  })()
  await settle()
  fake.started[0]!.print('more')
  fake.started[0]!.end({ code: 0 })
  await settle()
  await runtime.start(spec('b'))
  fake.started[1]!.print('new')
  await settle()
  assert.deepEqual(seen, ['old', 'more', 'new'])
  leaving.abort()
  await following
  await runtime[Symbol.asyncDispose]()
})
