// Which words are flags, which are not, and what a wrong one is told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KnodeError } from '../base/errors.ts'
import { parseArguments } from './arguments.ts'
import { defineCommand } from './command.ts'

const command = defineCommand({
  name: 'try',
  summary: 'Try things',
  usage: 'WORD [WORD]',
  positionals: { min: 1, max: 2 },
  examples: ['knode try it'],
  flags: {
    watch: { type: 'boolean', short: 'w', description: 'watch' },
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['yaml', 'json'], description: 'form' },
    filename: { type: 'list', short: 'f', value: 'FILE', description: 'files' },
    tail: { type: 'integer', value: 'N', min: 0, description: 'lines' },
    timeout: { type: 'duration', value: 'TIME', description: 'wait' },
    namespace: { type: 'text', short: 'n', value: 'NS', description: 'namespace' },
  },
  run: async () => 0,
})

const absent = {
  watch: false,
  output: undefined,
  filename: [],
  tail: undefined,
  timeout: undefined,
  namespace: undefined,
}

describe('arguments', () => {
  it('are flags in any place and form, and the rest', () => {
    const rows: [string, object, string[]][] = [
      ['a', absent, ['a']],
      ['-w a b', { ...absent, watch: true }, ['a', 'b']],
      ['a --watch=false', absent, ['a']],
      ['a -o yaml', { ...absent, output: 'yaml' }, ['a']],
      ['a -oyaml', { ...absent, output: 'yaml' }, ['a']],
      ['a --output=json b', { ...absent, output: 'json' }, ['a', 'b']],
      ['-f x -f - --filename=y a', { ...absent, filename: ['x', '-', 'y'] }, ['a']],
      ['a --tail 0 --timeout 1m30s', { ...absent, tail: 0, timeout: 90_000 }, ['a']],
      ['a --timeout 0', { ...absent, timeout: 0 }, ['a']],
      ['-wn shop a', { ...absent, watch: true, namespace: 'shop' }, ['a']],
      ['a -- --watch', absent, ['a', '--watch']],
    ]
    for (const [words, flags, positionals] of rows) {
      const parsed = parseArguments(command, words.split(' '))
      assert.deepEqual([parsed.flags, parsed.positionals, parsed.help], [flags, positionals, false], words)
    }
  })

  it('may be denied, and stay undefined where something else decides when they are absent', () => {
    const open = { ...command, flags: { memory: { type: 'boolean', leavesOpen: true, description: '' } as const } }
    for (const [words, memory] of [
      ['a', undefined],
      ['a --memory', true],
      ['a --memory=true', true],
      ['a --memory=false', false],
    ] as const) {
      assert.deepEqual(parseArguments(open, words.split(' ')).flags, { memory }, words)
    }
  })

  it('ask for help with --help and -h, whatever else is wrong', () => {
    assert.equal(parseArguments(command, ['--help']).help, true)
    assert.equal(parseArguments(command, ['a', 'b', 'c', '-h']).help, true)
  })

  it('that are wrong are told by name, with the nearest right one', () => {
    const rows: [string, string, string?][] = [
      ['', 'knode try needs more: knode try WORD [WORD] [flags]'],
      ['a b c', 'knode try does not take "c"'],
      ['a --wacth', 'knode try has no flag --wacth', 'did you mean --watch? '],
      ['a --time 3s', 'knode try has no flag --time', 'did you mean --timeout? '],
      ['a --xyzzy', 'knode try has no flag --xyzzy'],
      ['a -x', 'knode try has no flag -x'],
      ['a -o', '-o needs a value: -o FORM'],
      ['a -o jsn', '--output: "jsn" is none of yaml, json', 'did you mean json? '],
      ['a --watch=maybe', '--watch takes no value but true or false, got "maybe"'],
      ['a --tail -1', '--tail: expected a whole number from 0, got "-1"'],
      ['a --tail 1.5', '--tail: expected a whole number from 0, got "1.5"'],
      ['a --timeout 30', '--timeout: expected a duration like 30s or 1m30s, got "30"'],
      ['a --timeout -5s', '--timeout: expected a duration like 30s or 1m30s, got "-5s"'],
      ['a -n x -n y', '--namespace is given 2 times'],
      ['a --__proto__', 'knode try has no flag --__proto__'],
      ['a --constructor', 'knode try has no flag --constructor'],
    ]
    for (const [words, message, question = ''] of rows) {
      const wanted = { code: 'USAGE', message, hint: `${question}see: knode try --help` }
      const list = words.split(' ').filter((word) => word !== '')
      assert.throws(
        () => parseArguments(command, list),
        (error: KnodeError) => {
          assert.deepEqual({ code: error.code, message: error.message, hint: error.hint }, wanted)
          return true
        },
      )
    }
  })

  it('of a command that reads its own words are left to it, but for those that name the running Knode', () => {
    const own = {
      ...command,
      parsesItself: true as const,
      flags: { server: { type: 'text', value: 'URL', description: '' } as const },
    }
    const { flags, positionals } = parseArguments(own, ['test', '--since', '1h', '--server', 'http://x', '-5 + 3'])
    assert.deepEqual([flags, positionals], [{ server: 'http://x' }, ['test', '--since', '1h', '-5 + 3']])
    assert.equal(parseArguments(own, ['--help']).help, true)
  })
})
