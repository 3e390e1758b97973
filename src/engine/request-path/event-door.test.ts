import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import { closedEndpoint } from '../reconciler.ts'
import type { AcceptResult } from '../reconciler.ts'
import { aGateway, brokerHost, channelHost, event, send } from './test-gateway.ts'
import type { Sent } from './test-gateway.ts'

const structured = { 'content-type': 'application/cloudevents+json' }
const aStructuredEvent = JSON.stringify({ specversion: '1.0', id: '2', source: '/test', type: 'test.made', data: 1 })

describe('the gateway at the shared door of Brokers', () => {
  const rows: [promise: string, sent: Sent, status: number][] = [
    ['takes a binary event', { path: '/default/shop', headers: event, body: 'hi' }, 202],
    ['takes an event without data', { path: '/default/shop', headers: event }, 202],
    ['takes a structured event', { path: '/default/shop', headers: structured, body: aStructuredEvent }, 202],
    ['answers to the ingress’ name', { host: brokerHost, path: '/default/shop', headers: event }, 202],
    ['ignores a port and upper case in the host', { host: 'LOCALHOST:99', path: '/default/shop', headers: event }, 202],
    ['ignores the query', { path: '/default/shop?x=1', headers: event }, 202],
    ['tolerates one slash at the end', { path: '/default/shop/', headers: event }, 202],
    ['answers 200 to OPTIONS wherever', { method: 'OPTIONS', path: '/no/such/place' }, 200],
    ['answers 405 to other methods, before it looks at the path', { method: 'PUT', path: '/' }, 405],
    ['answers 405 to GET', { method: 'GET', path: '/default/shop' }, 405],
    ['answers 404 to the root', { path: '/', headers: event }, 404],
    ['answers 400 to one segment', { path: '/shop', headers: event }, 400],
    ['answers 400 to three segments', { path: '/a/b/c', headers: event }, 400],
    ['answers 400 to two slashes at the end', { path: '/default/shop//', headers: event }, 400],
    ['answers 404 to a Broker that does not exist', { path: '/default/none', headers: event }, 404],
    ['answers 400 to what is no event', { path: '/default/shop', body: 'hi' }, 400],
    ['answers 400 to a malformed event for nobody', { path: '/default/none', body: 'hi' }, 400],
    ['answers 400 to an event without id', { path: '/default/shop', headers: { ...event, 'ce-id': '' } }, 400],
    ['answers 400 to half JSON', { path: '/default/shop', headers: structured, body: '{"id":' }, 400],
  ]
  for (const [promise, sent, status] of rows) {
    it(promise, async () => {
      await using gateway = await aGateway()
      const answer = await send(gateway, sent)
      assert.equal(answer.status, status, answer.body)
      assert.equal(answer.headers.allow, 'POST, OPTIONS')
      assert.equal(gateway.accepted.length, status === 202 ? 1 : 0)
      if (status === 202) assert.equal(answer.body, '')
      if (status >= 400) assert.match(answer.body, /^\S.*\n$/s)
    })
  }

  it('hands over the event’s bytes and the headers that travel on', async () => {
    await using gateway = await aGateway()
    const headers = { ...event, 'content-type': 'text/plain', 'x-request-id': 'r1', authorization: 'Bearer x' }
    await send(gateway, { path: '/default/shop', headers, body: Buffer.from([0, 255, 10]) })
    const [message] = gateway.accepted
    assert.equal(message!.event.attributes.get('type'), 'test.made')
    assert.deepEqual(Buffer.from(message!.event.data!), Buffer.from([0, 255, 10]))
    assert.deepEqual(message!.headers, { 'x-request-id': 'r1' })
  })

  it('takes a batch in order, and refuses it as a whole when one event is refused', async () => {
    let refuse = false
    const accept = async (message: EventMessage): Promise<AcceptResult> =>
      refuse && message.event.attributes.get('id') === '2' ? { status: 503, message: 'full' } : { status: 202 }
    await using gateway = await aGateway({ accept })
    const batch = JSON.stringify(['1', '2', '3'].map((id) => ({ specversion: '1.0', id, source: '/', type: 't' })))
    const sent = { path: '/default/shop', headers: { 'content-type': 'application/cloudevents-batch+json' } }
    assert.equal((await send(gateway, { ...sent, body: batch })).status, 202)
    assert.deepEqual(
      gateway.accepted.map(({ event }) => event.attributes.get('id')),
      ['1', '2', '3'],
    )
    assert.equal((await send(gateway, { ...sent, body: '[]' })).status, 202)
    refuse = true
    const answer = await send(gateway, { ...sent, body: batch })
    assert.deepEqual([answer.status, answer.body], [503, 'event 1 of the batch: full\n'])
    assert.equal((await send(gateway, { ...sent, body: '[{}]' })).status, 400)
  })

  it('consents to webhook senders of any origin and rate', async () => {
    await using gateway = await aGateway()
    const { status, headers } = await send(gateway, { method: 'OPTIONS', path: '/default/shop' })
    assert.equal(status, 200)
    assert.deepEqual([headers['webhook-allowed-origin'], headers['webhook-allowed-rate']], ['*', '*'])
  })

  it('passes on the endpoint’s refusal with its Retry-After', async () => {
    const full: AcceptResult = { status: 503, message: 'the disk is full', retryAfterSeconds: 1.5 }
    await using gateway = await aGateway({ accept: async () => full })
    const answer = await send(gateway, { path: '/default/shop', headers: event })
    assert.deepEqual([answer.status, answer.headers['retry-after'], answer.body], [503, '2', 'the disk is full\n'])
  })

  it('answers 503 before it reads the body when the endpoint is closed', async () => {
    await using gateway = await aGateway({ endpoints: { ' /default/late': closedEndpoint('not Ready yet') } })
    const answer = await send(gateway, { path: '/default/late', body: 'no event at all' })
    assert.deepEqual([answer.status, answer.body], [503, 'not Ready yet\n'])
  })

  it('answers 500 when the endpoint fails, and lives on', async () => {
    let fails = true
    const accept = (): Promise<AcceptResult> =>
      fails ? Promise.reject(new Error('bug')) : Promise.resolve({ status: 202 })
    await using gateway = await aGateway({ accept })
    assert.equal((await send(gateway, { path: '/default/shop', headers: event })).status, 500)
    fails = false
    assert.equal((await send(gateway, { path: '/default/shop', headers: event })).status, 202)
  })
})

describe('the gateway at the address of a channel', () => {
  const rows: [promise: string, sent: Sent, status: number][] = [
    ['takes an event', { path: '/channels/default/orders', headers: event }, 202],
    ['takes an event by the channel’s host', { host: channelHost, headers: event }, 202],
    ['takes an event by the channel’s host and a path', { host: channelHost, path: '/default/x', headers: event }, 202],
    ['answers 400 to another path at its host', { host: channelHost, path: '/x', headers: event }, 400],
    ['answers 404 to one that does not exist, before all else', { path: '/channels/default/none', method: 'PUT' }, 404],
    ['answers 404 to an unknown channel host', { host: 'x-kn-channel.default.svc', headers: event }, 404],
    ['answers 200 to OPTIONS', { method: 'OPTIONS', path: '/channels/default/orders' }, 200],
    ['answers 404 to OPTIONS for one that does not exist', { method: 'OPTIONS', path: '/channels/a/b' }, 404],
    ['answers 405 to GET', { method: 'GET', path: '/channels/default/orders' }, 405],
    ['answers 400 to what is no event', { path: '/channels/default/orders', body: 'hi' }, 400],
  ]
  for (const [promise, sent, status] of rows) {
    it(promise, async () => {
      await using gateway = await aGateway()
      const answer = await send(gateway, sent)
      assert.equal(answer.status, status, answer.body)
      assert.equal(gateway.accepted.length, status === 202 ? 1 : 0)
    })
  }
})
