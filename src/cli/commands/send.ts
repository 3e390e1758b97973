// knode send: one event or many, to a Broker or any URL.
import { readFile } from 'node:fs/promises'
import { KnodeError, messageOf } from '../../base/errors.ts'
import type { AddressStatus, KResourceStatus } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ApiClient } from '../api-client.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { discover, pathOf } from '../discovery.ts'
import { eventMaker } from '../event-maker.ts'
import { openEventPoster } from '../event-poster.ts'
import { sendMany } from '../send-many.ts'
import { postedLine, replyText, summaryText } from '../send-text.ts'
import { namespaceOf } from '../targets.ts'
import { readInput } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'

export const command = defineCommand({
  name: 'send',
  summary: 'Send an event to a Broker or a URL',
  usage: '[BROKER | KIND/NAME | URL]',
  positionals: { min: 0, max: 1 },
  details: 'To the Broker "default" unless another is named. Data is JSON if it looks like it, else text.',
  examples: [
    `knode send --type order.created -d '{"total": 12}'`,
    'knode send orders -n shop -e tenant=acme -f order.json',
    'knode send http://127.0.0.1:8080 --count 1000 --rate 100',
  ],
  flags: {
    ...namespaceFlag,
    type: { type: 'text', value: 'TYPE', description: 'CloudEvents type (default dev.knode.sent)' },
    source: { type: 'text', value: 'SOURCE', description: 'CloudEvents source (default /knode/send)' },
    id: { type: 'text', value: 'ID', description: 'CloudEvents id (default a new UUID)' },
    subject: { type: 'text', value: 'TEXT', description: 'CloudEvents subject' },
    data: { type: 'text', short: 'd', value: 'TEXT', description: 'data of the event' },
    filename: { type: 'text', short: 'f', value: 'FILE', description: 'file with the data, - for standard input' },
    extension: { type: 'list', short: 'e', value: 'NAME=VALUE', description: 'another attribute; repeatable' },
    'content-type': { type: 'text', value: 'TYPE', description: 'media type of the data' },
    count: { type: 'integer', value: 'N', min: 1, description: 'send N events, each with an id of its own' },
    rate: { type: 'integer', value: 'N', min: 1, description: 'events per second (default as fast as they are taken)' },
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['json'], description: 'form' },
    ...connectionFlags,
  },
  async run({ flags, positionals: [target] }, { terminal, connect, signal, clock, random }) {
    if (flags.data !== undefined && flags.filename !== undefined) {
      throw new KnodeError('USAGE', 'the data is given twice', { hint: 'use either -d or -f' })
    }
    const data = flags.data === undefined ? await readData(flags.filename, terminal) : Buffer.from(flags.data)
    const { rate, 'content-type': contentType } = flags
    const count = flags.count ?? (rate === undefined ? 1 : Number.POSITIVE_INFINITY)
    const makeEvent = eventMaker({ ...flags, count, contentType, data, clock, random })
    const url = await addressOf(target, flags.namespace, connect)
    using poster = openEventPoster({ url, clock, signal })
    const isJson = flags.output === 'json'

    if (flags.count === undefined && rate === undefined) {
      const event = makeEvent(0)
      const posted = await poster.post(event)
      signal.throwIfAborted()
      terminal.out(postedLine({ event, url, posted, isJson }, terminal))
      if (!isJson && posted.reply !== undefined) terminal.out(replyText(posted.reply))
      return isAccepted(posted) ? 0 : 1
    }
    const options = { count, rate, clock, signal, isAccepted }
    const summary = await sendMany(makeEvent, poster, {
      ...options,
      onProgress: (seen) => {
        if (terminal.showsProgress) terminal.err(`\r${summaryText(seen, { url, isJson: false }).trimEnd()}\u001B[K`)
      },
    })
    if (terminal.showsProgress) terminal.err('\r\u001B[K')
    terminal.out(summaryText(summary, { url, isJson }))
    return summary.failed > 0 ? 1 : 0
  },
})

const isAccepted = ({ status = 0 }: { status?: number }): boolean => status >= 200 && status < 300

async function readData(path: string | undefined, terminal: Terminal): Promise<Buffer | undefined> {
  if (path === undefined) return undefined
  if (path === '-') return readInput(terminal)
  try {
    return await readFile(path)
  } catch (cause) {
    throw new KnodeError('USAGE', `cannot read the data: ${messageOf(cause)}`, { cause })
  }
}

async function addressOf(
  target: string | undefined,
  givenNamespace: string | undefined,
  connect: () => Promise<ApiClient>,
): Promise<string> {
  if (target !== undefined && /^https?:\/\//.test(target)) {
    if (URL.canParse(target)) return target
    throw new KnodeError('USAGE', `"${target}" is no URL`)
  }
  const [kind = '', name = '', ...more] =
    target?.includes('/') === true ? target.split('/') : ['broker', target ?? 'default']
  if (kind === '' || name === '' || more.length > 0) throw new KnodeError('USAGE', `"${target}" is not KIND/NAME`)
  const client = await connect()
  const namespace = givenNamespace ?? client.namespace
  const path = kind === 'broker' ? brokerPath(namespace, name) : await pathOfKind(client, kind, namespace, name)
  const { body } = await client.call<Resource>({ path })
  const { address, addresses = [], conditions = [] } = (body.status ?? {}) as AddressStatus & KResourceStatus
  const url = (address ?? addresses[0])?.url
  const object = `${body.kind} ${name} in namespace ${namespace}`
  if (url === undefined) {
    const ready = conditions.find(({ type }) => type === 'Ready')
    const why = [ready?.reason, ready?.message].filter((part) => part !== undefined && part !== '').join(': ')
    throw new KnodeError('NOT_ADDRESSABLE', `${object} has no address${why === '' ? '' : ` (${why})`}`, {
      hint: `knode describe ${kind} ${name} -n ${namespace} tells more`,
    })
  }
  if (new URL(url).hostname.endsWith('.svc.cluster.local')) {
    throw new KnodeError('NOT_ADDRESSABLE', `the address of ${object}, ${url}, is known inside Knode only`, {
      hint: 'send to its public URL: knode get shows it',
    })
  }
  return url
}

const brokerPath = (namespace: string, name: string): string =>
  `/apis/eventing.knative.dev/v1/namespaces/${encodeURIComponent(namespace)}/brokers/${encodeURIComponent(name)}`

async function pathOfKind(client: ApiClient, kind: string, namespace: string, name: string): Promise<string> {
  const [resource, ...others] = (await discover(client)).named(kind)
  if (resource === undefined || others.length > 0) throw new KnodeError('USAGE', `"${kind}" is more than one kind`)
  return pathOf(resource, namespaceOf(resource, namespace), name)
}
