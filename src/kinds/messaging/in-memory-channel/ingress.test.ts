import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { KindDeps } from '../../../engine/reconciler.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { channelIngress } from './ingress.ts'
import { inMemoryChannel } from './kind.ts'
import type { InMemoryChannel } from './schema.ts'

const channelNamed = (name: string, uid = `uid-${name}`): InMemoryChannel => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'InMemoryChannel',
  metadata: { name, namespace: 'shop', uid },
  spec: {},
})

const transport = { ensureStream: () => Promise.resolve({}), stream: () => ({}) }

/** The Service that the reconciler makes for the channel. */
async function serviceOf(channel: InMemoryChannel): Promise<Resource> {
  const deps = { transport } as unknown as Partial<KindDeps>
  const { applied } = await reconcileOnce(channel, { kind: inMemoryChannel, deps })
  return applied.find(({ kind }) => kind === 'Service')!
}

/** The name of the channel that answers at this place, `undefined` when none does. */
function answering(objects: readonly Resource[], host: string, path = '/'): string | undefined {
  const caches = {
    get: (kind: string, namespace: string, name: string) =>
      objects.find(
        ({ kind: own, metadata }) =>
          kind.split('.')[0] === own && metadata.namespace === namespace && metadata.name === name,
      ),
  }
  const delivery = { channelEndpoint: ({ name }: { name: string }) => ({ kind: 'event', name }) }
  const ingress = channelIngress({ caches, delivery, transport } as unknown as KindDeps)
  return (ingress.find(host, path, false) as { name: string } | undefined)?.name
}

const ready = (channel: InMemoryChannel): InMemoryChannel => ({ ...channel, status: { address: { url: 'http://x' } } })

for (const [what, name] of [
  ['a channel', 'orders'],
  ['the longest name that is not shortened', 'o'.repeat(52)],
  ['a name that is too long for a Service of its own', 'o'.repeat(53)],
  ['the longest name of all', 'o'.repeat(253)],
] as const) {
  test(`${what} answers at the host name of its Service, as at its path`, async () => {
    const channel = ready(channelNamed(name))
    const service = await serviceOf(channel)
    const objects = [channel, service, ready(channelNamed('another'))]
    const host = `${service.metadata.name}.shop.svc`
    assert.equal(answering(objects, host), name)
    assert.equal(answering(objects, `${host}.cluster.local`), name)
    assert.equal(answering(objects, '', `/channels/shop/${name}`), name)
    assert.equal(answering(objects, host.replace('.shop.', '.office.')), undefined)
  })
}

test('a Service of somebody else, or of a channel that was made anew, leads to no channel', async () => {
  const name = 'o'.repeat(60)
  const service = await serviceOf(channelNamed(name))
  const host = `${service.metadata.name}.shop.svc`
  assert.equal(answering([service, ready(channelNamed(name, 'uid-of-the-next'))], host), undefined)
  const foreign = { ...service, metadata: { ...service.metadata, ownerReferences: [] } }
  assert.equal(answering([foreign, ready(channelNamed(name))], host), undefined)
})
