import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { FunctionContext } from './function-context.ts'
import { newFunctionEvent } from './function-event.ts'
import { functionListener } from './function-listener.ts'
import { createLog } from './function-log.ts'
import type { UserFunction } from './load-function.ts'

interface Answer {
  status: number
  type: string | null
  headers: Headers
  text: string
}

/** What a function answers to one request. */
async function ask(
  given: UserFunction | UserFunction['handle'],
  path = '/',
  init: RequestInit = {},
  log = createLog('silent'),
): Promise<Answer> {
  const userFunction = typeof given === 'function' ? { handle: given } : given
  const server = createServer(functionListener(userFunction, log))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init)
    const { status, headers } = response
    return { status, headers, type: headers.get('content-type'), text: await response.text() }
  } finally {
    server.close()
  }
}

const post = (body: string | URLSearchParams, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers,
})
const attributes = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop', 'ce-type': 'order' }
const json = { 'content-type': 'application/json' }

test('what a handler returns decides status, type and body', async () => {
  const cases: [returned: unknown, status: number, type: string | null, text: string][] = [
    [undefined, 204, null, ''],
    [null, 204, null, ''],
    ['', 204, null, ''],
    ['text', 200, 'text/plain; charset=utf-8', 'text'],
    [{ a: 1 }, 200, 'application/json; charset=utf-8', '{"a":1}'],
    [[1, 2], 200, 'application/json; charset=utf-8', '[1,2]'],
    [7, 200, 'application/json; charset=utf-8', '7'],
    [Buffer.from('bytes'), 200, 'application/octet-stream', 'bytes'],
    [{ statusCode: 418 }, 418, null, ''],
    [{ statusCode: 201, body: { made: true } }, 201, 'application/json; charset=utf-8', '{"made":true}'],
    [{ body: '<p>', headers: { 'Content-Type': 'text/html' } }, 200, 'text/html', '<p>'],
  ]
  for (const [returned, status, type, text] of cases) {
    const answer = await ask(() => returned)
    assert.deepEqual({ status: answer.status, type: answer.type, text: answer.text }, { status, type, text })
  }
})

test('a handler gets the body parsed by its type, query, headers and method', async () => {
  const tell = (context: FunctionContext, body: unknown): unknown => [
    {
      body: Buffer.isBuffer(body) ? 'a Buffer' : body,
      query: context.query,
      name: (context as unknown as { name?: string }).name,
      method: context.method,
      path: context.path,
      type: context.contentType,
    },
  ]
  const heard = async (path: string, init: RequestInit): Promise<Record<string, unknown>> =>
    (JSON.parse((await ask(tell, path, init)).text) as Record<string, unknown>[])[0]!
  const parsed = await heard('/orders?name=ada&x=1&x=2', post('{"a":1}', json))
  assert.deepEqual(parsed, {
    body: { a: 1 },
    query: { name: 'ada', x: ['1', '2'] },
    name: 'ada',
    method: 'POST',
    path: '/orders',
    type: 'application/json',
  })
  assert.equal((await heard('/', post('words', { 'content-type': 'text/plain' })))['body'], 'words')
  assert.deepEqual((await heard('/', post(new URLSearchParams({ a: 'b' }))))['body'], { a: 'b' })
  assert.equal((await heard('/', post('x', { 'content-type': 'image/png' })))['body'], 'a Buffer')
  assert.equal((await heard('/', {}))['body'], undefined)
  assert.equal((await ask(tell, '/', post('{', json))).status, 400)
})

test('a handler gets the event of a request, and answers with one', async () => {
  const handle = (context: FunctionContext, input: unknown): unknown => {
    const event = input as { id: string; type: string; data: { qty: number }; myext: string }
    assert.equal(context.cloudevent, event)
    const reply = { qty: event.data.qty + 1, of: event.id, ext: event.myext }
    return context.cloudEventResponse(reply).id('r1').type('reply').source('/function').response()
  }
  for (const init of [
    post('{"qty":1}', { ...attributes, ...json, 'ce-myext': 'e' }),
    post(
      JSON.stringify({ specversion: '1.0', id: '1', source: '/shop', type: 'order', myext: 'e', data: { qty: 1 } }),
      { 'content-type': 'application/cloudevents+json' },
    ),
  ]) {
    const { status, headers, text } = await ask(handle, '/', init)
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'application/json')
    assert.deepEqual(
      ['id', 'type', 'source', 'specversion'].map((name) => headers.get(`ce-${name}`)),
      ['r1', 'reply', '/function', '1.0'],
    )
    assert.deepEqual(JSON.parse(text), { qty: 2, of: '1', ext: 'e' })
  }
})

test('an event of the CloudEvents SDK is told by the name of its class', async () => {
  class CloudEvent {
    id = '1'
    source = '/sdk'
    type = 'made.elsewhere'
    time = new Date(0)
    data = 'text'
    datacontenttype = 'text/plain'
  }
  const { headers, text } = await ask(() => new CloudEvent(), '/', post('', attributes))
  assert.equal(headers.get('ce-type'), 'made.elsewhere')
  assert.equal(headers.get('ce-time'), '1970-01-01T00:00:00Z')
  assert.equal(text, 'text')
})

test('data is parsed as its type says', async () => {
  for (const [type, body, seen] of [
    ['application/json', '{"a":1}', { a: 1 }],
    ['text/plain', 'words', 'words'],
    ['image/png', 'x', { type: 'Buffer', data: [120] }],
  ] as const) {
    const tell = (_context: FunctionContext, event: unknown): unknown => ({ body: (event as { data: unknown }).data })
    const { text } = await ask(tell, '/', post(body, { ...attributes, 'content-type': type }))
    if (type !== 'image/png') assert.deepEqual(type === 'text/plain' ? text : JSON.parse(text), seen)
    else assert.equal(text, 'x')
  }
})

test('an event that is not valid is the sender’s mistake, one that a handler returns is its own', async () => {
  assert.equal((await ask(() => 'x', '/', post('', { ...attributes, 'ce-time': 'yesterday' }))).status, 400)
  const { status, text } = await ask(() => newFunctionEvent({ type: 't' }), '/', post('', attributes))
  assert.equal(status, 500)
  assert.match(text, /the returned event is not valid: .*source/)
})

test('what a handler throws is told with its code, and logged', async () => {
  const lines: string[] = []
  const log = createLog('error', (line) => lines.push(line))
  const failing = (): never => {
    throw Object.assign(new Error('sold out'), { code: 409 })
  }
  const { status, text } = await ask(failing, '/', {}, log)
  assert.deepEqual([status, text], [409, 'sold out'])
  assert.match(lines[0]!, /Error processing user function: \\"Error: sold out\\"/)
  const odd = async (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code: 'ENOENT' }))
  assert.equal((await ask(odd)).status, 500)
})

test('headers and a status that cannot be sent are a failure, not the end', async () => {
  assert.equal((await ask(() => ({ statusCode: 99, body: 'x' }))).status, 500)
  assert.equal((await ask(() => ({ headers: { 'bad name': 'x' }, body: 'x' }))).status, 500)
})

test('probes are answered OK, unless the function answers itself', async () => {
  const handle = (): string => 'handled'
  assert.equal((await ask(handle, '/health/readiness')).text, 'OK')
  assert.equal((await ask(handle, '/health/liveness')).text, 'OK')
  const liveness = Object.assign(() => 'alive', { path: '/alive' })
  const readiness = (): never => {
    throw new Error('no database')
  }
  const own: UserFunction = { handle, liveness, readiness }
  assert.equal((await ask(own, '/alive')).text, 'alive')
  assert.equal((await ask(own, '/health/liveness')).text, 'handled')
  const unready = await ask(own, '/health/readiness')
  assert.deepEqual([unready.status, unready.text], [503, 'no database'])
})

test('browsers of all origins may ask, or those that the function names', async () => {
  const handle = (): string => 'x'
  const asked = { headers: { origin: 'http://shop.example' } }
  assert.equal((await ask(handle, '/', asked)).headers.get('access-control-allow-origin'), '*')
  const preflight = await ask(handle, '/', { method: 'OPTIONS' })
  assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-headers')], [204, '*'])
  for (const [origins, allowed] of [
    [['http://shop.example'], 'http://shop.example'],
    [[], null],
  ] as const) {
    const { headers } = await ask({ handle, cors: () => origins }, '/', asked)
    assert.equal(headers.get('access-control-allow-origin'), allowed)
  }
})

test('the log leaves out what is below its level', () => {
  const lines: string[] = []
  const log = createLog('info', (line) => lines.push(line))
  log.debug('no')
  log.info('yes')
  log.warn({ order: 7 }, 'with', 'facts')
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    parsed.map(({ level, msg, order }) => ({ level, msg, order })),
    [
      { level: 'info', msg: 'yes', order: undefined },
      { level: 'warn', msg: 'with facts', order: 7 },
    ],
  )
})
