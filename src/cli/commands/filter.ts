// knode filter test: which events a Trigger would get, and why. What it does lives in app/.
import { connectionFlags, defineCommand } from '../command.ts'

export const command = defineCommand({
  name: 'filter',
  summary: 'Test a Trigger’s filters on events, without sending any',
  usage: 'test -f TRIGGER.yaml... [--event FILE|-]... [--since 1h [--broker BROKER] [-n NS]] [-o json]',
  positionals: { min: 0, max: 1_000 },
  details: 'With --since, on the stored events of the running Knode: "would match 412 of 18,233".',
  examples: [
    'knode filter test -f trigger.yaml --event order.json',
    'knode filter test -f trigger.yaml --since 1h --broker default',
  ],
  flags: connectionFlags,
  parsesItself: true,
  async run({ positionals: words }, { terminal, connect, signal }) {
    const { runFilterCommand } = await import('../../app/filter-command.ts')
    return runFilterCommand(words, {
      stdin: terminal.input(),
      stdout: { write: terminal.out },
      stderr: { write: terminal.err },
      async *history(request) {
        yield* (await connect()).lines({ ...request, signal })
      },
    })
  },
})
