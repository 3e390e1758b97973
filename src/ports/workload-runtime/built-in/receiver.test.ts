import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { eventReceiver } from './receiver.ts'

test('an event that is too large is refused once, however much of it comes before the answer has left', () => {
  const request = Object.assign(new EventEmitter(), {
    method: 'POST',
    url: '/',
    rawHeaders: [],
    destroy: () => undefined,
  })
  const statuses: number[] = []
  const response = {
    headersSent: false,
    writeHead(status: number) {
      statuses.push(status)
      this.headersSent = true
      return this
    },
    end: () => undefined,
  }
  const listener = eventReceiver(() => assert.fail('nothing is received'))
  listener(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  for (let mebibytes = 0; mebibytes < 20; mebibytes++) request.emit('data', Buffer.alloc(1_048_576))
  request.emit('end')
  assert.deepEqual(statuses, [413])
})
