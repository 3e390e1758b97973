import assert from 'node:assert/strict'
import test from 'node:test'
import { cloudEvent } from '../model/cloudevents/event.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import { complaint } from './complaint.ts'
import { describeObject } from './describe-text.ts'
import { flowText } from './flow-text.ts'
import { printable } from './printable.ts'
import { postedLine, replyText } from './send-text.ts'
import { textRows } from './table.ts'

const evil = 'a\u001b[2Jb\u0007\u009bc\r\u007f'
const paint = (_: unknown, text: string): string => text

test('control characters are written out, line ends, tabs and all letters stay', () => {
  assert.equal(printable(evil), 'a^[[2Jb^G\\u009bc^M^?')
  assert.equal(printable('a\n\tb ü 渴了 🍵'), 'a\n\tb ü 渴了 🍵')
})

test('no event, object or server can steer the terminal of whoever looks at it', () => {
  const event = cloudEvent({ id: '1', source: '/x', type: 't', subject: evil }, Buffer.from(evil))
  const posted = { status: 400, tookMs: 1, reason: evil }
  const url = 'http://x'
  const time = '2026-01-01T00:00:00.000Z'
  const object = {
    apiVersion: 'v1',
    kind: 'Lamp',
    metadata: { name: 'a', annotations: { note: evil } },
    spec: { text: evil, list: [evil], [evil]: 1 },
    status: { conditions: [{ type: 'Ready', status: 'False', reason: 'X', message: evil }] },
  }
  const texts = {
    table: textRows(
      { columnDefinitions: [{ name: evil }], rows: [{ cells: [evil] }] },
      { wide: true, withNamespace: false },
    ),
    flow: flowText(
      {
        what: 'dropped',
        time,
        stream: 'Broker/shop/b',
        event: { specversion: '1.0', type: evil, source: '/x', id: evil, data: evil },
        message: evil,
      } as unknown as Parameters<typeof flowText>[0],
      { paint },
    ),
    posted: postedLine({ event, url, posted, isJson: false }, { paint }),
    reply: replyText(event),
    object: describeObject(object, [{ type: 'Warning', reason: 'X', message: evil }], { nowMs: 0, paint }),
    complaint: complaint(new StatusError(400, 'BadRequest', evil), { paint }),
  }
  for (const [where, text] of Object.entries(texts)) {
    const shown = JSON.stringify(text)
    assert.match(shown, /\^\[\[2J/, `${where} shows it`)
    // In JSON, what is left of a control character is an escape of its own.
    assert.doesNotMatch(shown.replaceAll('\\\\u009b', ''), /\\u00|\\r|[\u007f-\u009f]/, where)
  }
})
