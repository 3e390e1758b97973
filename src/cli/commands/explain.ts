// knode explain: why a Service has as many instances as it has, in words.
import type { Explanation, RevisionExplanation } from '../../app/routes/explain.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Condition } from '../../model/duck/types.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { discover } from '../discovery.ts'
import { parseTargets } from '../targets.ts'
import { printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

export const command = defineCommand({
  name: 'explain',
  summary: 'Tell why a Service has as many instances as it has',
  usage: 'KIND NAME... | KIND/NAME...',
  positionals: { min: 1, max: 100 },
  details:
    'KIND is ksvc, configuration, revision or kpa. For each Revision it tells the load, the rules that count, and\nwhen the last instance goes.',
  examples: ['knode explain ksvc/hello', 'knode explain revision/hello-00001 -n shop'],
  flags: {
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['json'], description: 'form' },
    ...namespaceFlag,
    ...connectionFlags,
  },
  async run({ flags, positionals }, { terminal, connect }) {
    const client = await connect()
    const explanations: Explanation[] = []
    const discovery = await discover(client)
    for (const { resource, name } of parseTargets(positionals, discovery)) {
      if (name === undefined) {
        const hint = `knode explain ${discovery.wordFor(resource)}/NAME`
        throw new KnodeError('USAGE', `which ${resource.kind}?`, { hint })
      }
      const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`
      const query = { kind, namespace: flags.namespace ?? client.namespace, name }
      explanations.push((await client.call<Explanation>({ path: '/knode/v1/explain', query })).body)
    }
    if (flags.output === 'json') {
      const [first] = explanations
      return terminal.out(`${JSON.stringify(explanations.length === 1 ? first : explanations, undefined, 2)}\n`)
    }
    terminal.out(explanations.map((explanation) => textOf(explanation, terminal)).join('\n'))
  },
})

function textOf({ namespace, name, url, ready, revisions }: Explanation, { paint }: Terminal): string {
  const isOneself = revisions.length === 1 && revisions[0]!.name === name
  const head = [paint('bold', `${namespace}/${name}`), ...(url === undefined ? [] : [url])].join('  ')
  const title = isOneself ? [] : [[head, readyText(ready, paint)].filter((part) => part !== '').join('  ')]
  const none = revisions.length === 0 ? ['  No Revision runs or gets traffic.'] : []
  return `${[...title, ...none, ...revisions.flatMap((revision) => linesOf(revision, paint))].join('\n')}\n`
}

function linesOf({ name, traffic, ready, sentences }: RevisionExplanation, paint: Terminal['paint']): string[] {
  const shares = traffic.map(shareText).join(', ')
  const parts = [paint('bold', name), shares, readyText(ready, paint)].filter((part) => part !== '')
  return [`  ${parts.join('  ')}`, ...sentences.map((sentence) => `    ${printable(sentence)}`)]
}

function shareText({ percent, tag, latestRevision }: RevisionExplanation['traffic'][number]): string {
  const share = percent === undefined ? '' : `${percent} %`
  const names = [...(latestRevision === true ? ['latest'] : []), ...(tag === undefined ? [] : [`tag ${tag}`])]
  return [share, ...(names.length === 0 ? [] : [`(${names.join(', ')})`])].filter((part) => part !== '').join(' ')
}

/** Nothing when it is Ready: that is as it should be. */
function readyText(
  ready: Pick<Condition, 'status' | 'reason' | 'message'> | undefined,
  paint: Terminal['paint'],
): string {
  if (ready === undefined || ready.status === 'True') return ''
  const why = [ready.reason, ready.message].filter((part) => part !== undefined && part !== '').join(': ')
  const word = ready.status === 'False' ? paint('red', 'not Ready') : paint('yellow', 'not Ready yet')
  return why === '' ? word : `${word}: ${printable(why)}`
}
