// The whole path with the real kubectl: manifests in, events through Broker, Triggers, Sequence and Parallel, replies on.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { silentLogger } from '../../src/base/log.ts'
import { startKnode } from '../../src/app/start-knode.ts'
import type { RunningKnode } from '../../src/app/start-knode.ts'
import { createKubectl, patience } from '../harness/kubectl.ts'
import type { Kubectl } from '../harness/kubectl.ts'
import { postBinary, postStructured } from '../harness/post-event.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'
import { eventAnswer, startSubscriber } from '../harness/subscriber.ts'
import type { Subscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const kinds = 'broker,trigger,sequence,parallel,pingsource,channel,subscription'

const manifests = (sink: string): string => `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: orders
spec:
  broker: default
  filter:
    attributes:
      type: order.created
  subscriber:
    uri: ${sink}/orders
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: everything-from-shop
spec:
  broker: default
  filters:
    - any:
        - prefix:
            source: /shop/
        - exact:
            type: order.priced
  subscriber:
    uri: ${sink}/shop
---
apiVersion: messaging.knative.dev/v1
kind: Channel
metadata:
  name: plain
---
apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata:
  name: plain-to-subscriber
spec:
  channel:
    apiVersion: messaging.knative.dev/v1
    kind: Channel
    name: plain
  subscriber:
    uri: ${sink}/plain
---
apiVersion: flows.knative.dev/v1
kind: Sequence
metadata:
  name: three-steps
spec:
  channelTemplate:
    apiVersion: messaging.knative.dev/v1
    kind: InMemoryChannel
  steps:
    - uri: ${sink}/step-1
    - uri: ${sink}/step-2
    - uri: ${sink}/step-3
  reply:
    ref:
      apiVersion: eventing.knative.dev/v1
      kind: Broker
      name: default
---
apiVersion: flows.knative.dev/v1
kind: Parallel
metadata:
  name: two-branches
spec:
  branches:
    - filter:
        uri: ${sink}/only-odd
      subscriber:
        uri: ${sink}/odd
    - filter:
        uri: ${sink}/only-even
      subscriber:
        uri: ${sink}/even
  reply:
    uri: ${sink}/after-parallel
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata:
  name: every-second
spec:
  schedule: "* * * * * *"
  contentType: application/json
  data: '{"message": "ping"}'
  sink:
    ref:
      apiVersion: messaging.knative.dev/v1
      kind: Channel
      name: plain
`

/** What each subscriber answers, by path. */
function startSubscribers(): Promise<Subscriber> {
  return startSubscriber(({ path, headers, body }) => {
    const id = String(headers['ce-id'])
    if (path === '/orders')
      return eventAnswer({ id: `${id}-priced`, source: '/pricing', type: 'order.priced' }, '{"price":3}')
    if (path.startsWith('/step-')) {
      return eventAnswer(
        { id: `${id}${path}`, source: '/shop/sequence', type: 'step.done' },
        JSON.stringify({ before: body }),
      )
    }
    const number = (JSON.parse(body || '{}') as { n?: number }).n ?? 0
    if (path === '/only-odd' && number % 2 === 1) return eventAnswer({ id, source: '/odd', type: 'number' }, body)
    if (path === '/only-even' && number % 2 === 0) return eventAnswer({ id, source: '/even', type: 'number' }, body)
    if (path === '/odd' || path === '/even')
      return eventAnswer({ id: `${id}-done`, source: path, type: 'handled' }, body)
    return {}
  })
}

interface World extends AsyncDisposable {
  knode: RunningKnode
  kubectl: Kubectl
  subscriber: Subscriber
  urlOf: (resource: string) => Promise<string>
}

async function aWorld(dataDir: string, subscriber: Subscriber): Promise<World> {
  await using starting = new AsyncDisposableStack()
  const knode = starting.use(await startKnode({ dataDir, apiPort: 0, gatewayPort: 0, log: silentLogger }))
  const kubectl = starting.use(await createKubectl({ kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') }))
  const running = starting.move()
  return {
    knode,
    kubectl,
    subscriber,
    urlOf: (resource) => kubectl.ok(['get', resource, '-o', 'jsonpath={.status.address.url}']),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

async function allReady({ kubectl }: World): Promise<void> {
  await kubectl.ok(['wait', '--for=condition=Ready', patience, '--all', kinds])
}

test('manifests as Knative’s docs write them become Ready, and every event goes its way', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using directory = await temporaryDirectory()
  await using subscriber = await startSubscribers()
  await using world = await aWorld(directory.path, subscriber)
  const { kubectl, urlOf } = world
  await kubectl.ok(['apply', '-f', await kubectl.file('all.yaml', manifests(subscriber.url))])
  await allReady(world)

  await t.test('kubectl shows upstream’s columns', async () => {
    const table = await kubectl.ok(['get', `${kinds},imc,ksvc`, '-A'])
    for (const head of [
      /NAMESPACE +NAME +URL +AGE +READY +REASON\n.* broker\.eventing\.knative\.dev\/default /,
      /NAMESPACE +NAME +BROKER +SUBSCRIBER_URI +AGE +READY +REASON\n.* trigger\./,
      /NAMESPACE +NAME +URL +AGE +READY +REASON\n.* sequence\./,
      /NAMESPACE +NAME +URL +AGE +READY +REASON\n.* parallel\./,
      /NAMESPACE +NAME +SINK +SCHEDULE +AGE +READY +REASON\n.* pingsource\./,
      /NAMESPACE +NAME +URL +AGE +READY +REASON\n.* channel\./,
      /NAMESPACE +NAME +AGE +READY +REASON\n.* subscription\./,
    ]) {
      assert.match(table, head)
    }
  })

  await t.test(
    'kubectl explains the filters of a Trigger, those in them, and what is said of a wrong one',
    async () => {
      const explained = (path: string): Promise<string> => kubectl.ok(['explain', `trigger.spec.filters${path}`])
      assert.match(
        await explained(''),
        /all\s<\[\]Object>[^]*cesql\s<string>[^]*exact\s<map\[string\]string>[^]*not\s<Object>/,
      )
      assert.match(await explained('.exact'), /FIELD: exact <map\[string\]string>[^]*equals the text/)
      assert.match(await explained('.any'), /any\s<\[\]Object>[^]*prefix\s<map\[string\]string>/)
      assert.match(await explained('.not.all.cesql').catch(String), /field "cesql" does not exist/)
      assert.match(await explained('.not.all'), /may hold filters in turn/)
      const wrong = manifests(subscriber.url)
        .replaceAll('- exact:', '- exactly:')
        .replace('everything-from', 'wrong-from')
      const { stderr } = await kubectl.run(['apply', '--dry-run=server', '-f', '-'], { stdin: wrong })
      assert.match(stderr, /unknown filter dialect "exactly"/)
    },
  )

  await t.test('a channel whose name is none for a Service says so', async () => {
    const manifest = 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\nmetadata: { name: dots.in.it }\n'
    await kubectl.ok(['apply', '-f', '-'], { stdin: manifest })
    const path = 'jsonpath={.status.conditions[?(@.type=="ChannelServiceReady")].message}'
    const message = (): Promise<string> => kubectl.ok(['get', 'imc', 'dots.in.it', '-o', path])
    const isTold = async (): Promise<boolean> => /^Channel Service failed: .*DNS-1035/.test(await message())
    await eventually(isTold, 'what is wrong with its Service', programPatience)
    await kubectl.ok(['delete', 'imc', 'dots.in.it'])
  })

  await t.test('a binary event reaches the matching Trigger only, and its answer the next', async () => {
    const answer = await postBinary(
      await urlOf('broker/default'),
      { type: 'order.created', id: 'o1' },
      '{"item":"tea"}',
    )
    assert.equal(answer.status, 202)
    const [order] = await subscriber.until('/orders', 1)
    assert.equal(order?.headers['ce-id'], 'o1')
    assert.equal(order?.headers['prefer'], 'reply')
    assert.equal(order?.headers['ce-knativebrokerttl'], undefined)
    assert.ok(order?.headers['ce-knativearrivaltime'])
    assert.equal(order?.body, '{"item":"tea"}')
    const [priced] = await subscriber.until('/shop', 1)
    assert.deepEqual([priced?.headers['ce-id'], priced?.headers['ce-type']], ['o1-priced', 'order.priced'])
  })

  await t.test('a structured event arrives in binary mode with its data', async () => {
    const attributes = { type: 'visit', id: 'v1', source: '/shop/door', datacontenttype: 'application/json' }
    assert.equal((await postStructured(await urlOf('broker/default'), attributes, { n: 1 })).status, 202)
    const visits = await subscriber.until('/shop', 2)
    const visit = visits.find(({ headers }) => headers['ce-id'] === 'v1')
    assert.equal(visit?.headers['content-type'], 'application/json')
    assert.equal(visit?.body, '{"n":1}')
  })

  await t.test('a Sequence goes step by step, and its end goes to the reply', async () => {
    await postBinary(await urlOf('sequence/three-steps'), { type: 'start', id: 's1' }, '{"a":1}')
    const arrivals = await subscriber.until('/shop', 3)
    const end = arrivals.find(({ headers }) => String(headers['ce-id']).startsWith('s1'))
    assert.equal(end?.headers['ce-id'], 's1/step-1/step-2/step-3')
    for (const step of ['/step-1', '/step-2', '/step-3']) assert.equal((await subscriber.until(step, 1)).length, 1)
  })

  await t.test('a Parallel sends what a filter answers down its branch', async () => {
    const url = await urlOf('parallel/two-branches')
    for (const n of [1, 2]) await postBinary(url, { type: 'number', id: `n${n}` }, JSON.stringify({ n }))
    await subscriber.until('/after-parallel', 2)
    const at = (path: string): unknown =>
      subscriber.received.filter((event) => event.path === path).map(({ headers }) => headers['ce-id'])
    assert.deepEqual(at('/odd'), ['n1'])
    assert.deepEqual(at('/even'), ['n2'])
    assert.deepEqual((at('/after-parallel') as string[]).sort(), ['n1-done', 'n2-done'])
  })

  await t.test('a PingSource sends through the Channel and its Subscription', async () => {
    const [ping] = await subscriber.until('/plain', 1)
    assert.equal(ping?.headers['ce-type'], 'dev.knative.sources.ping')
    assert.equal(ping?.headers['ce-source'], '/apis/v1/namespaces/default/pingsources/every-second')
    assert.equal(ping?.body, '{"message": "ping"}')
  })
})

test('after a restart on the same data directory everything is back, Ready and delivering', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using directory = await temporaryDirectory()
  await using subscriber = await startSubscribers()
  {
    await using world = await aWorld(directory.path, subscriber)
    await world.kubectl.ok(['apply', '-f', await world.kubectl.file('all.yaml', manifests(subscriber.url))])
    await allReady(world)
  }
  await using world = await aWorld(directory.path, subscriber)
  await allReady(world)
  await postBinary(await world.urlOf('broker/default'), { type: 'order.created', id: 'after' }, '{}')
  const [order] = await subscriber.until('/orders', 1)
  assert.equal(order?.headers['ce-id'], 'after')
  const [priced] = await subscriber.until('/shop', 1)
  assert.equal(priced?.headers['ce-id'], 'after-priced')
})

test('what goes wrong with a subscriber is told in conditions and Events, and nothing stops', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using directory = await temporaryDirectory()
  await using subscriber = await startSubscriber(({ path }) => (path === '/broken' ? { status: 400, body: 'no' } : {}))
  await using world = await aWorld(directory.path, subscriber)
  const { kubectl, urlOf } = world
  const trigger = (name: string, target: string, delivery = ''): string => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec:
  broker: default
  subscriber: ${target}
  ${delivery}
---`
  await kubectl.ok(['apply', '-f', '-'], {
    stdin: [
      'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: { name: default }\n---',
      trigger('missing', '{ ref: { apiVersion: v1, kind: Service, name: gone } }'),
      trigger('not-addressable', '{ ref: { apiVersion: v1, kind: ConfigMap, name: settings } }'),
      trigger(
        'refusing',
        `{ uri: "${subscriber.url}/broken" }`,
        `delivery: { deadLetterSink: { uri: "${subscriber.url}/dead" } }`,
      ),
      trigger('fine', `{ uri: "${subscriber.url}/fine" }`),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n',
    ].join('\n'),
  })
  await kubectl.ok(['wait', '--for=condition=Ready', patience, 'trigger/fine', 'trigger/refusing'])
  const messageOf = async (name: string): Promise<string | undefined> => {
    const path = 'jsonpath={.status.conditions[?(@.type=="SubscriberResolved")].message}'
    const message = await kubectl.ok(['get', 'trigger', name, '-o', path])
    return message === '' ? undefined : message
  }
  const message = (name: string): Promise<string> =>
    eventually(() => messageOf(name), `what is wrong with ${name}`, programPatience)
  assert.match(await message('missing'), /gone/)
  assert.match(await message('not-addressable'), /address not set for/)

  await postBinary(await urlOf('broker/default'), { type: 'x', id: 'e1' }, '{}')
  const [dead] = await subscriber.until('/dead', 1)
  assert.equal(dead?.headers['ce-knativeerrorcode'], '400')
  assert.equal(dead?.headers['ce-knativeerrordest'], `${subscriber.url}/broken`)
  assert.equal(dead?.headers['ce-knativeerrordata'], Buffer.from('no').toString('base64'))
  assert.equal((await subscriber.until('/fine', 1)).length, 1)
  const described = (): Promise<string> => kubectl.ok(['describe', 'trigger', 'refusing'])
  await eventually(async () => /EventDeadLettered/.test(await described()), 'the Event of it', programPatience)
})
