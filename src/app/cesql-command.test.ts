import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCesqlCommand } from './cesql-command.ts'

let directory: string
let eventFile: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knode-cesql-'))
  eventFile = join(directory, 'event.json')
  await writeFile(
    eventFile,
    '{"specversion":"1.0","id":"7","source":"/shop","type":"order","hop":5,"time":"2018-04-26T14:48:09+02:00","data":{"n":1}}',
  )
})
after(() => rm(directory, { recursive: true }))

async function run(args: string[], input: string | string[] = ''): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const stdin = (async function* () {
    yield* [input].flat().map((chunk) => Buffer.from(chunk))
  })()
  const code = await runCesqlCommand(args, {
    stdin,
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
  })
  return { code, ...written }
}

describe('one expression gives one line of JSON', () => {
  const cases: [args: string[], out: string][] = [
    [['1 + 2'], '{"value":3,"error":null}'],
    [["CONCAT('ü', \"'\")"], `{"value":"ü'","error":null}`],
    [['EXISTS id'], '{"value":true,"error":null}'],
    [['-10'], '{"value":-10,"error":null}'],
    [['--', '--10'], '{"value":10,"error":null}'],
    [
      ['missing = 1'],
      '{"value":false,"error":{"type":"MissingAttributeError","message":"the event has no attribute missing"}}',
    ],
    [
      ['4-1'],
      '{"value":null,"error":{"type":"ParseError","message":"line 1, column 2: expected an operator or the end, but found -1"}}',
    ],
  ]
  for (const [args, out] of cases) {
    test(args.join(' '), async () => assert.deepEqual(await run(args), { code: 0, out: `${out}\n`, err: '' }))
  }
})

test('--event names the event, in a file or on standard input', async () => {
  assert.equal((await run(["type = 'order' AND hop = 5", '--event', eventFile])).out, '{"value":true,"error":null}\n')
  const fromInput = await run(['--event=-', 'id'], '{"specversion":"1.0","id":"i","source":"/","type":"t"}')
  assert.equal(fromInput.out, '{"value":"i","error":null}\n')
})

test('a timestamp keeps its offset', async () => {
  assert.equal((await run(['time', '--event', eventFile])).out, '{"value":"2018-04-26T14:48:09+02:00","error":null}\n')
})

test('expressions on standard input are answered line by line, however they arrive', async () => {
  const input = [
    '1 +',
    ' 1\r\nty',
    'pe = \'order\'\n\nhop / 0\n{"expression":"id","event":',
    '{"specversion":"1.0","id":"ü","source":"/","type":"t"}}\nTRUE',
  ]
  const { code, out } = await run(['--event', eventFile], input)
  assert.equal(code, 0)
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { value: unknown; error: { type: string } | null })
  assert.deepEqual(
    answers.map(({ value, error }) => [value, error?.type]),
    [
      [2, undefined],
      [true, undefined],
      [null, 'ParseError'],
      [0, 'MathError'],
      ['ü', undefined],
      [true, undefined],
    ],
  )
})

describe('wrong usage is exit code 2, a bad event 1', () => {
  const cases: [args: string[], input: string, code: number, err: RegExp][] = [
    [['1', '2'], '', 2, /one expression at a time, not also "2"\n {2}knode cesql/],
    [['1', '--event'], '', 2, /--event needs a value/],
    [['--event', '-'], 'TRUE', 2, /cannot hold both/],
    [[], '{"expression":', 2, /a line that begins with \{ must be JSON/],
    [[], '{"expr":"1"}', 2, /\{"expression":…\} is missing/],
    [['1', '--event', '/nowhere/event.json'], '', 1, /\/nowhere\/event\.json: there is no such file/],
    [['1', '--event', '-'], '{"id":1}', 1, /^knode: -: .*\n {2}the event must be structured JSON/],
  ]
  for (const [args, input, code, err] of cases) {
    test(JSON.stringify([args, input]), async () => {
      const result = await run(args, input)
      assert.equal(result.code, code)
      assert.match(result.err, err)
      assert.equal(result.out, '')
    })
  }
})
