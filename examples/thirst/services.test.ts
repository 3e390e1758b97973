// The two services as real processes, the model's endpoint as a scripted server.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
import { postBinary } from '../../test/harness/post-event.ts'
import { startSubscriber } from '../../test/harness/subscriber.ts'

interface RunningService extends AsyncDisposable {
  url: string
  /** Resolves when its output has a part that matches. */
  says(words: RegExp): Promise<unknown>
}

async function start(script: string, env: Record<string, string> = {}): Promise<RunningService> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script)], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const exited = once(child, 'exit')
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    await inTime(exited, `${script} to end`, programPatience).finally(() => child.kill('SIGKILL'))
  }
  const says = (words: RegExp): Promise<RegExpExecArray> =>
    eventually(
      () => {
        assert.equal(child.exitCode, null, log)
        return words.exec(log) ?? undefined
      },
      () => `${script} to say ${String(words)}; it said:\n${log}`,
      programPatience,
    )
  const [, port] = await says(/^listening on port (\d+)$/m).catch(async (error: unknown) => {
    await end()
    throw error
  })
  return { url: `http://127.0.0.1:${port}/`, says, [Symbol.asyncDispose]: end }
}

const question = JSON.stringify({ messages: [{ role: 'user', content: '渴了' }] })

test('without an endpoint qwen answers by itself and says so', async () => {
  await using qwen = await start('qwen.ts')
  const answer = await postBinary(qwen.url, { type: 'ask' }, question)
  assert.equal(answer.headers.get('ce-type'), 'dev.knode.samples.chat.completion')
  const completion = (await answer.json()) as { model: string; choices: { message: { content: string } }[] }
  assert.equal(completion.model, 'offline-responder')
  assert.match(completion.choices[0]?.message.content ?? '', /喝水/)
  await qwen.says(/no QWEN_BASE_URL: the offline responder answers, not a model/)
})

test('with an endpoint qwen asks it, with key and model', async () => {
  const completion = {
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'tea' }, finish_reason: 'stop' }],
  }
  await using model = await startSubscriber(() => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(completion),
  }))
  await using qwen = await start('qwen.ts', { QWEN_BASE_URL: `${model.url}/v1/`, QWEN_API_KEY: 'key', QWEN_MODEL: 'm' })
  const answer = await postBinary(qwen.url, { type: 'ask' }, question)
  assert.deepEqual(await answer.json(), completion)
  const [asked] = model.received
  assert.equal(asked?.path, '/v1/chat/completions')
  assert.equal(asked?.headers.authorization, 'Bearer key')
  assert.equal((JSON.parse(asked?.body ?? '') as { model: string }).model, 'm')
})

test('a model that fails makes the mesh try again, one that refuses does not', async () => {
  for (const [status, expected] of [
    [500, 502],
    [401, 422],
  ] as const) {
    await using model = await startSubscriber(() => ({ status }))
    await using qwen = await start('qwen.ts', { QWEN_BASE_URL: model.url })
    assert.equal((await postBinary(qwen.url, { type: 'ask' }, question)).status, expected)
  }
})

test('drink-svc prints the words and the action, and answers with it', async () => {
  await using drink = await start('drink-svc.ts')
  const completion = JSON.stringify({ choices: [{ message: { content: '喝水' } }] })
  const answer = await postBinary(drink.url, { type: 'completion' }, completion)
  assert.deepEqual(await answer.json(), { action: 'drink water', because: '喝水' })
  await drink.says(/the model says: 喝水\ndrink-svc: action: drink water/)
})

test('what is no event, and data that is not what a step takes, is refused with 400', async () => {
  await using drink = await start('drink-svc.ts')
  assert.equal((await fetch(drink.url, { method: 'POST', body: '{}' })).status, 400)
  assert.equal((await postBinary(drink.url, { type: 'x' }, 'no json')).status, 400)
  assert.equal((await postBinary(drink.url, { type: 'x' }, '{}')).status, 400)
})
