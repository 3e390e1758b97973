// The attributes that a dead letter sink gets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import { deadLetterOf } from './dead-letter.ts'

const event = cloudEvent({ id: '1', source: '/shop', type: 'order', knativebrokerttl: 254 }, 'data')
const failure = { url: 'http://shop/', retriable: false, reason: 'answered 400' }

test('a dead letter is the original event and where, with what code and what words it failed', () => {
  const letter = deadLetterOf(event, { ...failure, errorCode: 400, errorData: Buffer.from('no such order') })
  assert.equal(letter.data, event.data)
  assert.deepEqual(Object.fromEntries(letter.attributes), {
    ...Object.fromEntries(event.attributes),
    knativeerrordest: 'http://shop/',
    knativeerrorcode: 400,
    knativeerrordata: Buffer.from('no such order').toString('base64'),
  })
})

test('a long answer is cut before encoding, to 1024 characters that still decode', () => {
  for (const bytes of [767, 768, 769, 5000]) {
    const body = Buffer.alloc(bytes, 'x')
    const data = String(deadLetterOf(event, { ...failure, errorData: body }).attributes.get('knativeerrordata'))
    assert.ok(data.length <= 1024)
    assert.deepEqual(Buffer.from(data, 'base64'), body.subarray(0, 768))
  }
})

test('an empty answer gives an empty knativeerrordata', () => {
  assert.equal(deadLetterOf(event, { ...failure, errorData: new Uint8Array() }).attributes.get('knativeerrordata'), '')
})

test('what an earlier pass left is overwritten, or taken away where there is nothing to say', () => {
  const first = deadLetterOf(event, { ...failure, errorCode: 400, errorData: Buffer.from('old') })
  const second = deadLetterOf(first, { ...failure, url: 'http://other/' })
  assert.equal(second.attributes.get('knativeerrordest'), 'http://other/')
  assert.equal(second.attributes.has('knativeerrorcode'), false)
  assert.equal(second.attributes.has('knativeerrordata'), false)
})
