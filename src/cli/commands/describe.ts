// knode describe: one object in words, with its conditions and Events.
import { KnodeError } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ApiClient } from '../api-client.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { describeObject } from '../describe-text.ts'
import type { ObjectEvent } from '../describe-text.ts'
import { discover, pathOf } from '../discovery.ts'
import { namespaceOf, parseTargets } from '../targets.ts'

export const command = defineCommand({
  name: 'describe',
  summary: 'Tell all about objects: fields, conditions, Events',
  usage: 'KIND [NAME...] | KIND/NAME...',
  positionals: { min: 1, max: 1_000 },
  examples: ['knode describe trigger billing', 'knode describe broker -n shop'],
  flags: { ...namespaceFlag, ...connectionFlags },
  async run({ flags, positionals }, { terminal, connect, clock }) {
    const client = await connect()
    const texts: string[] = []
    const discovery = await discover(client)
    for (const { resource, name } of parseTargets(positionals, discovery)) {
      const namespace = namespaceOf(resource, flags.namespace ?? client.namespace)
      const path = pathOf(resource, namespace, name)
      const { body } = await client.call<Resource & { items?: Resource[]; kind: string }>({ path })
      const own = { apiVersion: body.apiVersion, kind: body.kind.replace(/List$/, '') }
      const objects = name === undefined ? (body.items ?? []).map((item) => ({ ...own, ...item })) : [body]
      if (objects.length === 0) {
        throw new KnodeError('NOT_FOUND', `there is no ${resource.kind} in ${namespace ?? 'the cluster'}`, {
          hint: `knode get ${discovery.wordFor(resource)} -A lists those that exist`,
        })
      }
      for (const object of objects) {
        const events = await eventsOf(client, object)
        texts.push(describeObject(object, events, { nowMs: clock.now(), paint: terminal.paint }))
      }
    }
    terminal.out(texts.join('\n\n'))
  },
})

async function eventsOf(client: ApiClient, { metadata }: Resource): Promise<ObjectEvent[]> {
  const { name, namespace = 'default', uid = '' } = metadata
  const { body } = await client.call<{ items: ObjectEvent[] }>({
    path: `/api/v1/namespaces/${namespace}/events`,
    query: { fieldSelector: `involvedObject.name=${name},involvedObject.uid=${uid}` },
  })
  return body.items
}
