// What people read of a Service's scale.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { scriptedDiscovery, startScriptedApi } from '../../../test/harness/scripted-api.ts'
import type { Explanation } from '../../app/routes/explain.ts'

const explanation: Explanation = {
  kind: 'Service.serving.knative.dev',
  namespace: 'shop',
  name: 'hello',
  url: 'http://hello.shop.example.com',
  ready: { status: 'True' },
  revisions: [
    {
      name: 'hello-00002',
      traffic: [
        { percent: 90, latestRevision: true },
        { percent: 10, tag: 'old' },
      ],
      ready: { status: 'False', reason: 'ExitCode1', message: 'it ended' },
      sentences: ['2 instances wanted, 2 ready.', 'min-scale keeps 2.'],
    },
  ],
}

describe('knode explain', () => {
  it('prints each Revision with its share of the traffic and its sentences', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, 'GET /knode/v1/explain': { body: explanation } })
    const { out, code } = await runInProcess(['explain', 'ksvc/hello', '-n', 'shop'], { server: api.url })
    assert.equal(code, 0)
    assert.equal(
      out,
      [
        'shop/hello  http://hello.shop.example.com',
        '  hello-00002  90 % (latest), 10 % (tag old)  not Ready: ExitCode1: it ended',
        '    2 instances wanted, 2 ready.',
        '    min-scale keeps 2.',
        '',
      ].join('\n'),
    )
    assert.deepEqual(api.requests.at(-1)!.query, {
      kind: 'Service.serving.knative.dev',
      namespace: 'shop',
      name: 'hello',
    })
  })

  it('prints all numbers as JSON', async () => {
    await using api = await startScriptedApi({ ...scriptedDiscovery, 'GET /knode/v1/explain': { body: explanation } })
    const { out } = await runInProcess(['explain', 'ksvc', 'hello', '-o', 'json'], { server: api.url })
    assert.deepEqual(JSON.parse(out), explanation)
  })

  it('says that nothing runs where nothing does, and asks which when no name is given', async () => {
    const body = { ...explanation, revisions: [] }
    await using api = await startScriptedApi({ ...scriptedDiscovery, 'GET /knode/v1/explain': { body } })
    const { out } = await runInProcess(['explain', 'ksvc/hello'], { server: api.url })
    assert.match(out, /\n {2}No Revision runs or gets traffic\.\n$/)
    const { code, err } = await runInProcess(['explain', 'ksvc'], { server: api.url })
    assert.equal(code, 2)
    assert.match(err, /which Service\?\n.*knode explain ksvc\/NAME/)
  })
})
