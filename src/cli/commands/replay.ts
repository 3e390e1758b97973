// knode replay: stored events once more to one Trigger.
import type { ReplayLine } from '../../app/routes/replay.ts'
import { KnodeError } from '../../base/errors.ts'
import { parseMoment } from '../../model/kubernetes/moment.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { replayText } from '../replay-text.ts'

/** Exit codes beside 0: something was not delivered, or the user stopped it. */
const exit = { failed: 1, stopped: 130 } as const

export const command = defineCommand({
  name: 'replay',
  summary: 'Deliver stored events once more, to one Trigger only',
  usage: '--trigger [NS/]TRIGGER --since 1h',
  positionals: { min: 0, max: 0 },
  details:
    'Events of its Broker that match its filters go to its subscriber again, marked by the extension knodereplay.\n' +
    'Live delivery goes on beside it. Ctrl-C ends the replay.',
  examples: [
    'knode replay --trigger shop/orders --since 1h',
    'knode replay --trigger orders --since 2026-01-31T12:00:00Z --until 2026-01-31T13:00:00Z --rate 50',
  ],
  flags: {
    trigger: { type: 'text', value: '[NS/]TRIGGER', description: 'who gets the events' },
    since: { type: 'text', value: 'TIME', description: 'from when on: how long ago (1h30m), or a time' },
    until: { type: 'text', value: 'TIME', description: 'to when (default: now)' },
    rate: { type: 'integer', value: 'N', min: 1, description: 'at most N a second' },
    limit: { type: 'integer', value: 'N', min: 1, description: 'at most N matching events' },
    ...namespaceFlag,
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['json'], description: 'form' },
    ...connectionFlags,
  },
  async run({ flags }, { terminal, connect, signal, clock }) {
    const { rate, limit } = flags
    const since = checked('since', flags.since, clock.now())
    const until = flags.until === undefined ? undefined : checked('until', flags.until, clock.now())
    const given = triggerName(flags.trigger, flags.namespace)
    const client = await connect()
    const { name: trigger, namespace = client.namespace } = given
    const query = { namespace, trigger, since, until, rate, limit }
    let last: ReplayLine | undefined
    for await (const text of client.lines({ method: 'POST', path: '/knode/v1/replay', query, signal })) {
      last = JSON.parse(text) as ReplayLine
      if (terminal.showsProgress) terminal.err(`\r${replayText(last, `${namespace}/${trigger}`)}\u001B[K`)
    }
    if (terminal.showsProgress) terminal.err('\r\u001B[K')
    if (last === undefined) return exit.stopped
    if (flags.output === 'json') terminal.out(`${JSON.stringify(last)}\n`)
    else terminal.out(`${replayText(last, `${namespace}/${trigger}`)}\n`)
    if (last.what !== 'ended') return signal.aborted ? exit.stopped : exit.failed
    return last.end.kind === 'done' && last.counts.dropped === 0 ? 0 : exit.failed
  },
})

function checked(flag: string, text: string | undefined, nowMs: number): string {
  const hint = 'say how long ago, like 1h30m, or a time, like 2026-01-31T12:00:00Z'
  if (text === undefined) throw new KnodeError('USAGE', `--${flag} is missing`, { hint })
  if (parseMoment(text, nowMs) === undefined) throw new KnodeError('USAGE', `--${flag}: "${text}" is no time`, { hint })
  return text
}

function triggerName(
  text: string | undefined,
  namespaceFlagged: string | undefined,
): { namespace?: string; name: string } {
  const [first = '', second, ...more] = (text ?? '').split('/')
  const [namespace, name] = second === undefined ? [namespaceFlagged, first] : [first, second]
  const hint = 'name the Trigger, with its namespace if need be: --trigger shop/orders'
  if (text === undefined) throw new KnodeError('USAGE', '--trigger is missing', { hint })
  if (name === '' || namespace === '' || more.length > 0) {
    throw new KnodeError('USAGE', `--trigger: "${text}" is not [NS/]TRIGGER`, { hint })
  }
  if (namespaceFlagged !== undefined && namespace !== namespaceFlagged) {
    throw new KnodeError('USAGE', `--trigger ${text} and --namespace ${namespaceFlagged} do not agree`, { hint })
  }
  return namespace === undefined ? { name } : { namespace, name }
}
