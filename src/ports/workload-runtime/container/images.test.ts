import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { eventually } from '../../../base/eventually.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import type { StartProgress, WorkloadSpec } from '../port.ts'
import { EngineClient } from './engine-client.ts'
import { Images } from './images.ts'
import { json, startTestEngine } from './test-engine.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const spec = (image: string, more: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  name: 'a',
  namespace: 'default',
  image,
  env: {},
  ...more,
})

test('those who want the same image share one pull, and hear of its progress', async () => {
  let pull: ServerResponse | undefined
  const begun = Promise.withResolvers<void>()
  await using engine = await startTestEngine({
    'POST /images/create': (_request, response) => {
      pull = response
      begun.resolve()
    },
  })
  using client = new EngineClient(engine.address)
  const images = new Images(client, new FakeClock())
  const heard: StartProgress[][] = [[], []]
  const pulls = heard.map((list) => images.ensure(spec('gcr.io/a/b'), (progress) => list.push(progress)))
  await begun.promise
  const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`
  pull!.write(line({ status: 'Pulling from a/b', id: 'latest' }))
  pull!.write(line({ id: 'l1', status: 'Downloading', progressDetail: { current: 10, total: 100 } }))
  pull!.end(line({ id: 'l2', status: 'Downloading', progressDetail: { current: 5, total: 50 } }))
  assert.deepEqual(await Promise.all(pulls), ['gcr.io/a/b:latest', 'gcr.io/a/b:latest'])
  assert.deepEqual(engine.asked, ['POST /images/create?fromImage=gcr.io/a/b&tag=latest'])
  const image = 'gcr.io/a/b'
  assert.deepEqual(heard[0], [
    { kind: 'pulling', image, receivedBytes: 0, totalBytes: 0 },
    { kind: 'pulling', image, receivedBytes: 10, totalBytes: 100 },
    { kind: 'pulling', image, receivedBytes: 15, totalBytes: 150 },
    { kind: 'pulled', image, tookMs: 0 },
  ])
  assert.deepEqual(heard[1], heard[0]?.slice(1))
})

test('an image that is here is pulled only where the policy says so', async () => {
  await using engine = await startTestEngine({
    'GET /images/': json({ Id: 'sha256:1' }),
    'POST /images/create': json({ status: 'Image is up to date' }),
  })
  using client = new EngineClient(engine.address)
  const images = new Images(client, new FakeClock())
  const asked = async (given: WorkloadSpec): Promise<string> => {
    engine.asked.length = 0
    await images.ensure(given)
    return engine.asked.map((line) => line.split(' ')[0]).join()
  }
  assert.equal(await asked(spec('a:v1')), 'GET')
  assert.equal(await asked(spec('a:v1', { imagePullPolicy: 'Always' })), 'POST')
  assert.equal(await asked(spec('a')), 'POST')
  assert.equal(await asked(spec('a', { imagePullPolicy: 'Never' })), 'GET')
  assert.equal(await asked(spec('ko.local/a')), 'GET')
  assert.equal(await asked(spec(`a:v1@${digest}`)), 'GET')
})

test('a pull takes the credentials of its registry along, and no others', async () => {
  const sent: unknown[] = []
  await using engine = await startTestEngine({
    'POST /images/create': ({ headers }, response) => {
      const header = headers['x-registry-auth']
      sent.push(header === undefined ? undefined : JSON.parse(Buffer.from(header as string, 'base64url').toString()))
      response.end()
    },
  })
  using client = new EngineClient(engine.address)
  const images = new Images(client, new FakeClock())
  const imageCredentials = [
    { registry: 'https://index.docker.io/v1/', username: 'hub', password: 'h' },
    { registry: 'gcr.io', username: 'ada', password: 'p' },
  ]
  for (const image of ['gcr.io/a/b:v1', 'nginx:v1', 'quay.io/a/b:v1'])
    await images.ensure(spec(image, { imageCredentials }))
  assert.deepEqual(sent, [
    { username: 'ada', password: 'p', serveraddress: 'gcr.io' },
    { username: 'hub', password: 'h', serveraddress: 'https://index.docker.io/v1/' },
    undefined,
  ])
})

test('a pull that the engine refuses is told in its words, whichever way it tells them', async () => {
  const failures: [string, (response: ServerResponse) => void][] = [
    ['in the stream', (response) => response.end(`${JSON.stringify({ error: 'manifest unknown' })}\n`)],
    ['by status', (response) => response.writeHead(404).end(JSON.stringify({ message: 'manifest unknown' }))],
  ]
  for (const [name, answer] of failures) {
    await using engine = await startTestEngine({ 'POST /images/create': (_request, response) => answer(response) })
    using client = new EngineClient(engine.address)
    const pull = new Images(client, new FakeClock()).ensure(spec('gcr.io/a/b:v1'))
    await assert.rejects(pull, { code: 'IMAGE_PULL_FAILED', message: 'manifest unknown' }, name)
  }
})

test('an answer that nobody reads may break off', async () => {
  let answer: ServerResponse | undefined
  await using engine = await startTestEngine({
    'POST /images/create': (_request, response) => {
      answer = response
      response.write('{')
    },
  })
  using client = new EngineClient(engine.address)
  const stream = await client.stream('POST', '/images/create')
  const closed = new Promise((resolve) => stream.on('close', resolve))
  answer!.destroy()
  // An error event that nobody hears would end the process.
  await closed
})

test('a tag’s digest is the stored image’s, else the registry’s, else known after a pull', async () => {
  const stored = json({ Id: 'x', RepoDigests: [`other/b@sha256:${'f'.repeat(64)}`, `docker.io/a/b@${digest}`] })
  const resolve = async (answers: Parameters<typeof startTestEngine>[0]): Promise<[string | undefined, string[]]> => {
    await using engine = await startTestEngine(answers)
    using client = new EngineClient(engine.address)
    return [await new Images(client, new FakeClock()).resolveDigest(spec('a/b:v1')), engine.asked]
  }
  assert.deepEqual(await resolve({ 'GET /images/': stored }), [`a/b@${digest}`, ['GET /images/a/b:v1/json']])
  const registry = json({ Descriptor: { digest } })
  assert.equal((await resolve({ 'GET /distribution/a/b:v1': registry }))[0], `a/b@${digest}`)
  let isPulled = false
  const [afterPull] = await resolve({
    'POST /images/create': (_request, response) => {
      isPulled = true
      response.end()
    },
    'GET /images/': (request, response) => (isPulled ? stored(request, response) : void response.writeHead(404).end()),
  })
  assert.equal(afterPull, `a/b@${digest}`)
})

test('a pull that fails gives its connection back', async () => {
  let open = 0
  await using engine = await startTestEngine({
    'POST /images/create': ({ socket }, response) => {
      open++
      socket.once('close', () => open--)
      response.write(`${JSON.stringify({ error: 'manifest unknown' })}\n`)
    },
  })
  using client = new EngineClient(engine.address)
  const images = new Images(client, new FakeClock())
  await assert.rejects(images.ensure(spec('gcr.io/a/b:v1')), { message: 'manifest unknown' })
  await eventually(() => open === 0, 'the connection to be closed', { patienceMs: 5_000 })
})

test('an engine that goes away during a pull fails that pull, and nothing else', async () => {
  await using engine = await startTestEngine({
    'POST /images/create': ({ socket }, response) => {
      response.write(`${JSON.stringify({ id: 'l1', progressDetail: { current: 1, total: 2 } })}\n`, () =>
        socket.destroy(),
      )
    },
  })
  using client = new EngineClient(engine.address)
  await assert.rejects(new Images(client, new FakeClock()).ensure(spec('gcr.io/a/b:v1')), { code: 'IMAGE_PULL_FAILED' })
})
