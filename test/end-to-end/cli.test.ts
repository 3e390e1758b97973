// The command line against a real `knode up`, as a newcomer uses it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { runKnode, startKnodeProcess } from '../harness/knode-process.ts'
import type { FinishedCommand, KnodeProcess } from '../harness/knode-process.ts'
import { startSubscriber } from '../harness/subscriber.ts'
import type { Subscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'knode')

const manifests = (sink: string): string => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: orders, namespace: shop}
spec:
  broker: default
  filter: {attributes: {type: order.created}}
  subscriber: {uri: "${sink}"}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`

/** A Service that takes requests and answers none. */
const silentService = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: silent, namespace: shop}
spec:
  template:
    metadata:
      annotations:
        knode.dev/command: exec node -e "require('node:http').createServer(() => {}).listen(process.env.PORT)"
    spec:
      containers: [{image: example.com/silent}]
`

describe('the command line', () => {
  let home: Awaited<ReturnType<typeof temporaryDirectory>>
  let dataDir = ''
  let silent = ''
  let knode: KnodeProcess
  let subscriber: Subscriber
  const run = (...words: string[]): Promise<FinishedCommand> => runKnode([...words, '--data-dir', dataDir])
  const ok = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await run(...words)
    assert.equal(code, 0, err)
    return out
  }

  before(async () => {
    home = await temporaryDirectory()
    dataDir = join(home.path, 'data')
    subscriber = await startSubscriber()
    await writeFile(join(home.path, 'shop.yaml'), manifests(`${subscriber.url}/`))
    silent = join(home.path, 'silent')
    await writeFile(silent, silentService)
    knode = await startKnodeProcess(dataDir, ['-f', home.path])
  })
  after(async () => {
    await knode[Symbol.asyncDispose]()
    await subscriber[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  it('prints exactly one line when all is up, manifests applied', () => {
    assert.equal(knode.out(), `knode ready api=${knode.api} gateway=${knode.gateway} kubeconfig=${knode.kubeconfig}\n`)
    assert.equal(knode.kubeconfig, join(dataDir, 'kubeconfig'))
  })

  it('waits for, lists, shows and describes what was applied', async () => {
    const waited = await ok('wait', '--timeout', '10m', '-f', join(home.path, 'shop.yaml'))
    assert.deepEqual(waited.trim().split('\n').sort(), [
      'broker.eventing.knative.dev/default condition met',
      'trigger.eventing.knative.dev/orders condition met',
    ])
    assert.match(
      await ok('get', 'trigger', '-n', 'shop'),
      /^NAME +BROKER +SUBSCRIBER_URI +AGE +READY +REASON\norders +default +http:\S+ +\S+ +True/,
    )
    assert.match(
      await ok('get', 'broker', '-A', '-o', 'wide'),
      /^NAMESPACE +NAME +URL.*CLASS\nshop +default .*MTChannelBasedBroker\n$/s,
    )
    assert.match(await ok('get', 'ns', 'shop', '-o', 'yaml'), /^apiVersion: v1\nkind: Namespace\n/)
    assert.match(await ok('describe', 'trigger', 'orders', '-n', 'shop'), /Conditions:\n[^]*Ready +True[^]*Events:/)
  })

  it('says unchanged when nothing changes, also to what get -o yaml prints', async () => {
    const again = await ok('apply', '-f', home.path)
    assert.deepEqual(again.match(/\w+$/gm), ['unchanged', 'unchanged', 'unchanged'])
    const exported = await ok('get', 'trigger', 'orders', '-n', 'shop', '-o', 'yaml')
    const applied = await runKnode(['apply', '-f', '-', '--data-dir', dataDir], { input: exported })
    assert.equal(applied.code, 0, applied.err)
  })

  it('shows with tail where an event went that send sent', async () => {
    const tail = spawn(bin, ['tail', 'default', '-n', 'shop', '-o', 'json', '--data-dir', dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]()
    const ended = once(tail, 'exit')
    const facts: Record<string, unknown>[] = []
    const ofAcceptance = (): Record<string, unknown> | undefined => facts.find(({ what }) => what === 'accepted')
    // What came before the tail had begun is not shown, be it half an event: sent until one is shown from its beginning.
    const sending = (async () => {
      while (ofAcceptance() === undefined) {
        const out = await ok('send', '-n', 'shop', '--type', 'order.created', '--id', 'seen', '-d', '{"total":12}')
        assert.match(out, /^sent seen to http:\S+\/shop\/default: 202 Accepted/)
      }
    })()
    while (ofAcceptance() === undefined || facts.at(-1)!['what'] !== 'delivered') {
      facts.push(JSON.parse(String((await lines.next()).value)) as Record<string, unknown>)
    }
    await sending
    tail.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
    assert.deepEqual((ofAcceptance()!['event'] as Record<string, unknown>)['data'], { total: 12 })
    assert.deepEqual((facts.at(-1)!['owner'] as Record<string, unknown>)['name'], 'orders')
    const [event] = await subscriber.until('/', 1)
    assert.deepEqual([event?.headers['ce-id'], event?.body], ['seen', '{"total":12}'])
  })

  it('sends many, and lists the stream that keeps them', async () => {
    const summary = JSON.parse(await ok('send', '-n', 'shop', '--count', '300', '-o', 'json')) as Record<
      string,
      unknown
    >
    assert.deepEqual([summary['accepted'], summary['failed']], [300, 0])
    const { streams } = JSON.parse(await ok('streams', '-o', 'json')) as {
      streams: { name: string; nextOffset: number }[]
    }
    const stream = streams.find(({ name }) => name.startsWith('broker/shop/default'))!
    assert.ok(stream.nextOffset >= 300)
    assert.match(await ok('streams'), /^STREAM +CONSUMER/)
  })

  it('refuses a second process on the same directory, a bad manifest and a taken port, each in one clear line', async () => {
    const second = await run('up')
    assert.equal(second.code, 1)
    assert.equal(
      second.err,
      `knode: data directory ${dataDir} is in use by process ${knode.pid}\n` +
        `  stop it (kill ${knode.pid}), or choose another one with --data-dir\n`,
    )
    const other = join(home.path, 'other')
    const port = new URL(knode.gateway).port
    const taken = await runKnode(['up', '--data-dir', other, '--api-port', '0', '--gateway-port', port])
    assert.equal(taken.code, 1)
    assert.match(taken.err, new RegExp(`^knode: [^\\n]*${port}[^\\n]*\\n  [^\\n]+\\n$`))
    const bad = await runKnode(['up', '--data-dir', other, '--api-port', '0', '--gateway-port', '0', '-f', '-'], {
      input: 'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec: {}\n',
    })
    assert.deepEqual([bad.code, bad.out], [1, ''])
    assert.match(bad.err, /knode: standard input: Trigger t: .*spec\.broker/)
    const file = await runKnode(['up', '--data-dir', join(home.path, 'shop.yaml')])
    assert.equal(file.code, 1)
    assert.match(file.err, /^knode: cannot write to data directory \S+: [^\n]+\n  [^\n]+\n$/)
  })

  it('tells kubectl and itself where the running process is', async () => {
    assert.equal(await ok('kubeconfig'), `${knode.kubeconfig}\n`)
    const inside = await runKnode(['get', 'ns', '-o', 'name'], { cwd: home.path })
    assert.equal(inside.code, 1)
    assert.match(inside.err, /no running Knode found: there is no .*\.knode\/kubeconfig/)
  })

  it('stops on SIGTERM with exit code 0, and comes back with everything, delivering', async () => {
    assert.equal(await knode.end('SIGTERM'), 0)
    const gone = await run('get', 'broker')
    assert.equal(gone.code, 1)
    assert.match(gone.err, /^knode: no answer from https?:\S+: nobody listens there\n  start Knode with knode up/)
    knode = await startKnodeProcess(dataDir)
    await ok('wait', '--timeout', '10m', '-f', join(home.path, 'shop.yaml'))
    await ok('send', '-n', 'shop', '--type', 'order.created', '--id', 'after-restart')
    const isThere = (): boolean => subscriber.received.some(({ headers }) => headers['ce-id'] === 'after-restart')
    await eventually(isThere, 'the event sent after the restart', programPatience)
  })

  it('finishes what was taken after the first signal, and ends at once with the second', async () => {
    assert.equal(await knode.end('SIGTERM'), 0)
    knode = await startKnodeProcess(dataDir, ['--grace-ms', '3600000', '-f', silent])
    await ok('wait', '--timeout', '10m', '-n', 'shop', 'ksvc/silent')
    const { hostname, port } = new URL(knode.gateway)
    const busy = connect(Number(port), hostname)
    busy.on('error', () => undefined)
    busy.write('GET / HTTP/1.1\r\nHost: silent.shop.svc.cluster.local\r\n\r\n')
    await once(busy, 'connect')
    // Whoever answers this has read the request before, which nobody answers.
    await (await fetch(knode.gateway)).text()
    process.kill(knode.pid, 'SIGTERM')
    await eventually(async () => !(await accepts(hostname, Number(port))), 'the gateway to refuse', programPatience)
    assert.equal(await knode.end('SIGTERM'), 130)
    busy.destroy()
    knode = await startKnodeProcess(dataDir)
  })

  it('deletes, and waits until it is done', async () => {
    assert.equal(
      await ok('delete', 'trigger', 'orders', '-n', 'shop'),
      'trigger.eventing.knative.dev "orders" deleted\n',
    )
    const missing = await run('get', 'trigger', 'orders', '-n', 'shop')
    assert.deepEqual([missing.code, missing.out], [1, ''])
    await ok('delete', 'ns', 'shop')
    assert.equal((await run('get', 'broker', '-n', 'shop')).err, 'No resources found in shop namespace.\n')
  })
})

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
