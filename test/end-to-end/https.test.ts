// Services by https with the real kubectl and real processes: Knode's own certificates, a user's own, and no good ones.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Agent, WebSocket } from 'undici'
import { createAuthority, createCertificate } from '../../src/base/certificate.ts'
import { eventually } from '../../src/base/eventually.ts'
import { askByHttp2, askByTls, serialShown } from '../harness/ask-by-tls.ts'
import { askService } from '../harness/ask-service.ts'
import type { Kubectl } from '../harness/kubectl.ts'
import { aService, inAWorld } from '../harness/serving-world.ts'
import type { World } from '../harness/serving-world.ts'

const program = (...path: string[]): string =>
  `"${process.execPath}" "${join(import.meta.dirname, '..', 'harness', ...path)}"`
const mirror = { command: program('apps', 'mirror.ts') }

async function setNetwork({ kubectl, knode }: World, data: Record<string, string>): Promise<void> {
  const patch = ['patch', 'cm', 'config-network', '-n', 'knative-serving', '--type=merge', '-p']
  await kubectl.ok([...patch, JSON.stringify({ data })])
  await knode.settled()
}

const field = (kubectl: Kubectl, object: string, path: string): Promise<string> =>
  kubectl.ok(['get', ...object.split(' '), '-o', `jsonpath={${path}}`])
const waitFor = (kubectl: Kubectl, object: string, path: string, value: string): Promise<string> =>
  kubectl.ok(['wait', `--for=jsonpath={${path}}=${value}`, object, '--timeout=60s'])
const condition = (type: string, part: string): string => `.status.conditions[?(@.type=="${type}")].${part}`

/** A Service by https, and the authority that a user fetches to trust it. */
async function securely(world: World, name: string, options: Parameters<typeof aService>[1]) {
  const { kubectl, knode, apply, ready } = world
  await setNetwork(world, { 'external-domain-tls': 'Enabled' })
  await apply(aService(name, options))
  await ready(name)
  const { port } = new URL(knode.gatewayUrl)
  const host = `${name}.default.127.0.0.1.sslip.io`
  await waitFor(kubectl, `ksvc/${name}`, '.status.url', `https://${host}:${port}`)
  const ca = await field(kubectl, 'cm knode-ca -n knative-serving', '.data.ca\\.crt')
  return { host, ca, gateway: knode.gatewayUrl }
}

describe('a Service by https', { concurrency: false }, () => {
  it(
    'answers who trusts Knode’s authority, by HTTP/1.1 and HTTP/2, and is told that it was https',
    inAWorld(async (world) => {
      const { kubectl, knode } = world
      const { gateway, ...question } = await securely(world, 'hello', mirror)
      const { status, body } = await askByTls(gateway, question)
      assert.equal(status, 200)
      const head = JSON.parse(body) as Record<string, string>
      assert.deepEqual([head['host'], head['x-forwarded-proto']], [question.host, 'https'])
      assert.equal((await askByHttp2(gateway, question)).status, 200)
      await assert.rejects(
        askByTls(gateway, { ...question, ca: createAuthority({ commonName: 'x', nowMs: Date.now() }).cert }),
      )
      await assert.rejects(askByTls(gateway, { ...question, host: 'nobody.example.com' }))
      const file = join(dirname(knode.kubeconfigPath), 'ca.crt')
      await eventually(async () => (await readFile(file, 'utf8').catch(() => '')) === question.ca, file)
      assert.match(await kubectl.ok(['get', 'kcert']), /^NAME +READY +REASON\nroute-\S+ +True *\n$/)
      const again = aService('hello', { ...mirror, target: 'two' })
      await world.apply(again)
      await world.ready('hello')
      assert.equal((await askByTls(gateway, question)).status, 200)
    }),
  )

  it(
    'sends plain HTTP there where config-network wants it, except what the cluster itself asks and who opts out',
    inAWorld(async (world) => {
      const { kubectl, knode, ask } = world
      const { gateway, ...question } = await securely(world, 'hello', mirror)
      const plain = () => askService(gateway, `${question.host}:${new URL(gateway).port}`, '/a?b=c')
      assert.equal((await plain()).status, 200)
      await setNetwork(world, { 'http-protocol': 'Redirected' })
      const { status, headers } = await plain()
      assert.deepEqual([status, headers.location], [301, `https://${question.host}:${new URL(gateway).port}/a?b=c`])
      assert.equal((await askByTls(gateway, question)).status, 200)
      assert.equal((await ask('hello')).status, 200)
      await kubectl.ok(['annotate', 'ksvc', 'hello', 'networking.knative.dev/http-protocol=Enabled'])
      await knode.settled()
      assert.equal((await plain()).status, 200)
      await kubectl.ok(['annotate', 'ksvc', 'hello', 'networking.knative.dev/disable-external-domain-tls=true'])
      const url = `http://${question.host}:${new URL(gateway).port}`
      await waitFor(kubectl, 'ksvc/hello', '.status.url', url)
      const why = await field(kubectl, 'route hello', condition('CertificateProvisioned', 'reason'))
      assert.equal(why, 'TLSNotEnabled')
      await knode.settled()
      await assert.rejects(askByTls(gateway, question))
    }),
  )

  it(
    'takes events that a Broker sends to its https address, though nobody here shakes hands',
    inAWorld(async (world) => {
      const { gateway, ...question } = await securely(world, 'hello', mirror)
      await setNetwork(world, { 'http-protocol': 'Redirected' })
      const uri = `https://${question.host}:${new URL(gateway).port}/in`
      const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' } }
      const spec = { broker: 'default', subscriber: { uri } }
      const trigger = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata: { name: 'all' }, spec }
      for (const object of [broker, trigger]) await world.apply(JSON.stringify(object))
      await world.kubectl.ok(['wait', '--for=condition=Ready', 'trigger/all', '--timeout=60s'])
      const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/a', 'ce-type': 'thirsty' }
      const { status } = await fetch(`${gateway}/default/default`, { method: 'POST', headers, body: '渴了' })
      assert.equal(status, 202)
      const last = await eventually(async () => {
        const { body } = await askByTls(gateway, { ...question, path: '/last' })
        const head = JSON.parse(body) as Record<string, string>
        return head['ce-id'] === '1' && head
      }, 'the event')
      assert.deepEqual([last['path'], last['x-forwarded-proto']], ['/in', 'https'])
    }),
  )

  it(
    'talks to WebSocket clients',
    inAWorld(async (world) => {
      const { gateway, host, ca } = await securely(world, 'echo', { command: `${program('echo-program.ts')} http1` })
      const { port } = new URL(gateway)
      const lookup = (_: string, __: object, done: (error: null, address: object[]) => void): void =>
        done(null, [{ address: '127.0.0.1', family: 4 }])
      const dispatcher = new Agent({ connect: { ca, lookup: lookup as never } })
      const socket = new WebSocket(`wss://${host}:${port}/`, { dispatcher })
      await once(socket, 'open')
      socket.send('渴了')
      const [{ data }] = (await once(socket, 'message')) as [{ data: unknown }]
      assert.equal(data, '渴了')
      socket.close()
      await once(socket, 'close')
      await dispatcher.destroy()
    }),
  )
})

describe('a DomainMapping with a certificate of the user’s own', { concurrency: false }, () => {
  it(
    'shows it, the next one without a restart, and the last good one when the next is none',
    inAWorld(async (world) => {
      const { kubectl, knode, apply, ready } = world
      const host = 'shop.example.com'
      const authority = createAuthority({ commonName: 'mine', nowMs: Date.now() })
      const question = { host, ca: authority.cert }
      const pair = () => createCertificate({ commonName: host, hosts: [host], nowMs: Date.now(), authority })
      const store = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
        const [certFile, keyFile] = [await kubectl.file('tls.crt', cert), await kubectl.file('tls.key', key)]
        const create = [
          'create',
          'secret',
          'generic',
          'mine',
          '--type=kubernetes.io/tls',
          '--dry-run=client',
          '-o',
          'json',
        ]
        const files = [`--from-file=tls.crt=${certFile}`, `--from-file=tls.key=${keyFile}`]
        await apply(await kubectl.ok([...create, ...files]))
        await knode.settled()
      }
      const serial = (of: { cert: string }): string => new X509Certificate(of.cert).serialNumber
      await setNetwork(world, { 'autocreate-cluster-domain-claims': 'true' })
      await apply(aService('hello', mirror))
      await ready('hello')
      const ref = { kind: 'Service', name: 'hello', apiVersion: 'serving.knative.dev/v1' }
      const mapping = {
        apiVersion: 'serving.knative.dev/v1beta1',
        kind: 'DomainMapping',
        metadata: { name: host },
        spec: { ref, tls: { secretName: 'mine' } },
      }
      await apply(JSON.stringify(mapping))
      const name = `domainmapping/${host}`
      await waitFor(kubectl, name, condition('Ready', 'reason'), 'TLSSecretNotFound')
      assert.equal(
        await field(kubectl, name, condition('CertificateProvisioned', 'reason')),
        'CertificateExternallyProvided',
      )
      await assert.rejects(askByTls(knode.gatewayUrl, question))
      const first = pair()
      await store(first)
      await kubectl.ok(['wait', '--for=condition=Ready', name, '--timeout=60s'])
      assert.equal(await field(kubectl, name, '.status.url'), `https://${host}`)
      const { status, body } = await askByTls(knode.gatewayUrl, question)
      const head = JSON.parse(body) as Record<string, string>
      assert.deepEqual([status, head['host'], head['x-forwarded-proto']], [200, host, 'https'])
      assert.equal((await askByHttp2(knode.gatewayUrl, question)).status, 200)
      assert.equal(await serialShown(knode.gatewayUrl, question), serial(first))
      const second = pair()
      await store(second)
      assert.equal(await serialShown(knode.gatewayUrl, question), serial(second))
      await store({ ...second, key: first.key })
      await waitFor(kubectl, name, condition('Ready', 'reason'), 'TLSSecretInvalid')
      assert.equal(
        await field(kubectl, name, condition('Ready', 'message')),
        'Secret "default/mine" holds no usable TLS certificate: the key is not that of the certificate.',
      )
      assert.equal(await serialShown(knode.gatewayUrl, question), serial(second))
      await store(pair())
      await kubectl.ok(['wait', '--for=condition=Ready', name, '--timeout=60s'])
      await kubectl.ok(['delete', name])
      await knode.settled()
      await assert.rejects(askByTls(knode.gatewayUrl, question))
    }),
  )
})
