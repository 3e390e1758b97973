// One event or many, where they go, and what is told of them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'
import type { ScriptedAnswer } from '../../../test/harness/scripted-api.ts'

const brokers = 'GET /apis/eventing.knative.dev/v1/namespaces'
const accepted: ScriptedAnswer = { status: 202, body: '' }

describe('knode send', () => {
  it('sends a binary CloudEvent with the given attributes and data', async () => {
    await using sink = await startScriptedApi({ 'POST /in': accepted })
    const words = [
      'send',
      `${sink.url}/in`,
      '--type',
      'order.created',
      '--source',
      '/shop',
      '--id',
      '7',
      '--subject',
      'ü',
    ]
    const result = await runInProcess([...words, '-d', '{"a":1}', '-e', 'tenant=acme', '-e', 'note=a=b'])
    assert.equal(result.code, 0)
    assert.match(result.out, /^sent 7 to http:\/\/127\.0\.0\.1:\d+\/in: 202 Accepted in [\d.]+ ms\n$/)
    const { headers, body } = sink.requests[0]!
    const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => /^ce-|^content/.test(name)))
    const { 'ce-time': time, ...rest } = sent
    assert.match(time!, /^\d{4}-.*Z$/)
    assert.deepEqual(rest, {
      'ce-specversion': '1.0',
      'ce-id': '7',
      'ce-source': '/shop',
      'ce-type': 'order.created',
      'ce-subject': '%C3%BC',
      'ce-tenant': 'acme',
      'ce-note': 'a=b',
      'content-type': 'application/json',
      'content-length': '7',
    })
    assert.deepEqual(body, { a: 1 })
  })

  it('knows JSON, text and bytes apart, unless told', async () => {
    await using sink = await startScriptedApi({ 'POST /': accepted })
    const typeOf = async (words: string[], input = ''): Promise<string | undefined> => {
      await runInProcess(['send', sink.url, ...words], { input })
      return sink.requests.at(-1)!.headers['content-type']
    }
    assert.equal(await typeOf([]), undefined)
    assert.equal(await typeOf(['-d', '[1]']), 'application/json')
    assert.equal(await typeOf(['-f', '-'], 'hello'), 'text/plain; charset=utf-8')
    assert.equal(await typeOf(['-d', '<a/>', '--content-type', 'application/xml']), 'application/xml')
    assert.equal(
      await typeOf(['-f', process.execPath.replace(/node$/, 'no-such-file')]),
      'application/xml',
      'nothing was sent',
    )
  })

  it('finds a Broker’s address, "default" unless another is named, or that of any kind', async () => {
    await using sink = await startScriptedApi({ 'POST /x': accepted })
    const body = { kind: 'Broker', metadata: { name: 'b' }, status: { address: { url: `${sink.url}/x` } } }
    await using api = await startScriptedApi({
      ...scriptedDiscovery,
      [`${brokers}/default/brokers/default`]: { body },
      [`${brokers}/shop/brokers/orders`]: { body },
      'GET /apis/serving.knative.dev/v1/namespaces/default/services/s': { body },
    })
    for (const words of [[], ['orders', '-n', 'shop'], ['ksvc/s']]) {
      assert.equal((await runInProcess(['send', ...words], { server: api.url })).code, 0, words.join(' '))
    }
    assert.equal(sink.requests.length, 3)
  })

  it('says why there is no address, or none that is known here', async () => {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'NoChannel', message: 'make one' }]
    await using api = await startScriptedApi({
      [`${brokers}/default/brokers/a`]: { body: { kind: 'Broker', metadata: {}, status: { conditions } } },
      [`${brokers}/default/brokers/b`]: {
        body: { kind: 'Broker', metadata: {}, status: { address: { url: 'http://b.default.svc.cluster.local' } } },
      },
    })
    const a = await runInProcess(['send', 'a'], { server: api.url })
    assert.equal(
      a.err,
      'knode: Broker a in namespace default has no address (NoChannel: make one)\n  knode describe broker a -n default tells more\n',
    )
    const b = await runInProcess(['send', 'b'], { server: api.url })
    assert.match(b.err, /b\.default\.svc\.cluster\.local, is known inside Knode only/)
    assert.deepEqual([a.code, b.code], [1, 1])
  })

  it('shows the event that a subscriber answers with', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'r',
      'ce-source': '/s',
      'ce-type': 'reply',
      'content-type': 'text/plain',
    }
    await using sink = await startScriptedApi({ 'POST /': { headers, body: 'drink water' } })
    const { out } = await runInProcess(['send', sink.url])
    assert.match(out, /answered with an event:\n[^]*  type: reply\n[^]*\n\n  drink water\n$/)
    const json = JSON.parse((await runInProcess(['send', sink.url, '-o', 'json'])).out) as Record<string, unknown>
    assert.deepEqual((json['reply'] as Record<string, unknown>)['data'], 'drink water')
  })

  it('fails with the sink’s own words, or with why there were none', async () => {
    await using sink = await startScriptedApi({
      'POST /bad': { status: 400, body: 'no event: the header ce-type is missing' },
      'POST /gone': { hangUp: true },
    })
    const bad = await runInProcess(['send', `${sink.url}/bad`, '--id', '1'])
    assert.equal(bad.code, 1)
    assert.match(bad.out, /^not taken: 1 to .*: 400 Bad Request in .* ms\n  no event: the header ce-type is missing\n$/)
    const gone = await runInProcess(['send', `${sink.url}/gone`, '-o', 'json'])
    assert.deepEqual([gone.code, (JSON.parse(gone.out) as { reason: string }).reason], [1, 'socket hang up'])
  })

  it('sends many with ids of their own, and sums up', async () => {
    await using sink = await startScriptedApi({
      'POST /': ({ headers }) => (headers['ce-id']!.endsWith('9') ? { status: 503, body: 'full' } : accepted),
    })
    const { code, out } = await runInProcess(['send', sink.url, '--count', '100', '--id', 'n', '-o', 'json'])
    assert.equal(code, 1)
    const summary = JSON.parse(out) as Record<string, unknown>
    assert.deepEqual(
      [summary['sent'], summary['accepted'], summary['failed'], summary['outcomes']],
      [100, 90, 10, { '202': 90, '503': 10 }],
    )
    assert.equal(new Set(sink.requests.map(({ headers }) => headers['ce-id'])).size, 100)
    const words = await runInProcess(['send', sink.url, '--count', '3'])
    assert.match(words.out, /^3 of 3 taken \(3 × 202\), \d+\/s, p50 [\d.]+ ms, p99 [\d.]+ ms\n$/)
  })

  it('gives each event an id of its own, also when there is no end to them', async () => {
    const stop = new AbortController()
    let left = 3
    await using sink = await startScriptedApi({
      'POST /': () => {
        if (--left === 0) stop.abort()
        return accepted
      },
    })
    await runInProcess(['send', sink.url, '--rate', '1000', '--id', 'n'], { signal: stop.signal })
    const ids = sink.requests.map(({ headers }) => headers['ce-id'])
    assert.ok(
      ids.every((id) => /^n-\d+$/.test(id ?? '')),
      ids.join(),
    )
    assert.equal(new Set(ids).size, ids.length)
  })

  it('refuses a target that is not one object’s name', async () => {
    await using api = await startScriptedApi(scriptedDiscovery)
    for (const target of ['broker/', '/x', 'broker/a/b']) {
      const { code, err } = await runInProcess(['send', target], { server: api.url })
      assert.deepEqual([code, err], [2, `knode: "${target}" is not KIND/NAME\n`])
    }
    assert.deepEqual(api.requests, [])
  })

  it('refuses attributes that no event can have', async () => {
    const rows: [string[], string][] = [
      [['-e', 'Tenant=x'], '-e "Tenant=x": "Tenant" is no name of an extension'],
      [['-e', 'tenant'], '-e "tenant": expected NAME=VALUE'],
      [['-e', 'id=3'], '-e id: use --id for this attribute'],
      [['-e', 'data=3'], '-e "data=3": "data" is no name of an extension'],
      [['--type', ''], 'the attribute type must not be empty'],
    ]
    for (const [words, message] of rows) {
      const { code, err } = await runInProcess(['send', 'http://127.0.0.1:1', ...words])
      assert.deepEqual([code, err.split('\n')[0]], [2, `knode: ${message}`])
    }
  })
})
