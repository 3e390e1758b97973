// knode cesql: value or error of CESQL expressions. What it does lives in app/; no running Knode is needed.
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  name: 'cesql',
  summary: 'Evaluate a CESQL expression on an event',
  usage: '[EXPRESSION] [--event FILE|-]',
  positionals: { min: 0, max: 1_000 },
  details:
    'Prints {"value":…,"error":…}; error is null or has a type and a message. Without EXPRESSION each line of standard\n' +
    'input is one, and is answered by one line. The event is a JSON CloudEvent.',
  examples: [`knode cesql "1 + 2 * 3"`, `knode cesql "type LIKE 'order.%'" --event order.json`],
  flags: {},
  parsesItself: true,
  async run({ positionals: words }, { terminal }) {
    const { runCesqlCommand } = await import('../../app/cesql-command.ts')
    return runCesqlCommand(words, {
      stdin: terminal.input(),
      stdout: { write: terminal.out },
      stderr: { write: terminal.err },
    })
  },
})
