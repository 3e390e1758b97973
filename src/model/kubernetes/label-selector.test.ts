import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLabelSelector } from './label-selector.ts'

const labels = { app: 'shop', prio: '5', empty: '', 'example.com/big': '9007199254740993', word: 'ten' }

const rows: [selector: string, expected: boolean][] = [
  ['', true],
  ['app', true],
  ['!app', false],
  ['app=shop,prio==5', true],
  ['app != shop', false],
  ['nosuch!=x', true],
  ['empty=', true],
  ['app in (bank, shop)', true],
  ['app notin (shop)', false],
  ['prio>4', true],
  ['prio > 5', false],
  ['prio<6,prio>-1', true],
  ['nosuch<6', false],
  ['word>1', false],
  ['example.com/big>9007199254740992', true],
  ['constructor', false],
]

for (const [selector, expected] of rows) {
  test(`"${selector}" ${expected ? 'selects' : 'does not select'}`, () => {
    assert.equal(parseLabelSelector(selector)(labels), expected)
  })
}

for (const selector of ['prio>=5', 'prio>', 'prio>x', '>5', 'app in (shop', 'app shop', '=x', 'a=b=c', 'app in shop']) {
  test(`"${selector}" is refused`, () => {
    assert.throws(() => parseLabelSelector(selector), { code: 'USAGE', message: /unable to parse requirement/ })
  })
}
