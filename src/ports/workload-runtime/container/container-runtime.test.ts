import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { nodeImage, openPodman } from '../../../../test/harness/podman.ts'
import { skipUnless } from '../../../../test/harness/require.ts'
import { systemClock } from '../../../base/clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import { itKeepsTheRuntimeContract } from '../contract.ts'
import type { StartProgress, Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { createContainerRuntime } from './container-runtime.ts'
import type { ContainerRuntimeOptions } from './container-runtime.ts'

/** Longest wait, in milliseconds: it only costs time in a test that fails. */
const timeoutMs = 300_000
const listen = `require('node:http').createServer((q, r) => r.end('hello')).listen(process.env.PORT)`
const endOnTerm = `process.on('SIGTERM', () => process.exit(0))`

const spec = (program: string, more: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  name: 'program-00001-x',
  namespace: 'default',
  image: nodeImage,
  args: ['-e', program],
  env: {},
  containerPort: 8080,
  ...more,
})

const { podman, reason } = await openPodman()
let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knode-container-'))
})
after(async () => {
  await podman?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test('Podman is here to run containers', (context) => {
  skipUnless(context, podman !== undefined, reason)
})

const openRuntime = (options: Partial<ContainerRuntimeOptions> = {}): WorkloadRuntime =>
  createContainerRuntime({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    owner: folder,
    closeGraceMs: 100,
    env: { DOCKER_HOST: podman!.dockerHost },
    ...options,
  })

describe('the container runtime', { skip: podman === undefined }, () => {
  itKeepsTheRuntimeContract(async () => ({
    runtime: openRuntime(),
    server: spec(`console.log('one'); console.log('two'); ${endOnTerm}; ${listen}`),
    failing: spec(`console.error('boom'); process.exit(3)`),
    silent: spec(`setInterval(() => {}, 1e6); ${endOnTerm}`),
    impossible: spec('', { image: 'No Image' }),
  }))

  it('gives a container its environment, arguments, folder, user and files', async () => {
    await using runtime = openRuntime()
    const config = join(folder, 'config')
    await mkdir(config)
    await writeFile(join(config, 'greeting'), 'hi')
    const program = `
      const { readFileSync, writeFileSync } = require('node:fs')
      const attempt = (act) => { try { return act() } catch ({ code }) { return code } }
      console.log(JSON.stringify({
        env: [process.env.PORT, process.env.A], args: process.argv.slice(1), cwd: process.cwd(),
        user: [process.getuid(), process.getgid()], file: readFileSync('/etc/config/greeting', 'utf8'),
        one: readFileSync('/etc/one', 'utf8'),
        writes: ['/etc/config/x', '/x'].map((path) => attempt(() => writeFileSync(path, ''))),
        stdin: attempt(() => readFileSync(0, 'utf8')), hosts: readFileSync('/etc/hosts', 'utf8').includes('10.1.2.3\\tdb.example'),
      }))`
    const workload = await runtime.start(
      spec(program, {
        command: ['/bin/node', '-e', program, 'x'],
        args: ['y'],
        env: { A: 'b=c' },
        workdir: '/tmp',
        user: { uid: 1234, gid: 2345 },
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        hostAliases: [{ ip: '10.1.2.3', hostnames: ['db.example'] }],
        mounts: [
          { hostPath: config, mountPath: '/etc/config', readOnly: true },
          { hostPath: config, subPath: 'greeting', mountPath: '/etc/one', readOnly: true },
        ],
      }),
    )
    await workload.exited
    assert.deepEqual(JSON.parse((await texts(workload)).join('\n')), {
      env: ['8080', 'b=c'],
      args: ['x', 'y'],
      cwd: '/tmp',
      user: [1234, 2345],
      file: 'hi',
      one: 'hi',
      writes: ['EROFS', 'EROFS'],
      stdin: '',
      hosts: true,
    })
  })

  it('lets containers reach the gateway by its own address and by names of the cluster, told or not', async () => {
    await using gateway = await serve((request, response) =>
      response.end(`for ${request.headers.host!.split(':')[0]!}`),
    )
    await using runtime = openRuntime({ gatewayPort: () => gateway.port })
    const program = `
      const { K_SINK, OTHER } = process.env
      const inCode = 'http://stock.shop.svc.cluster.local/'
      Promise.all([K_SINK, OTHER, inCode].map(async (url) => (await fetch(url)).text())).then((texts) => console.log(...texts))
        .catch((error) => console.log(error.cause))`
    const env = { K_SINK: `http://127.0.0.1:${gateway.port}/default/shop`, OTHER: 'http://cart.shop.svc.cluster.local' }
    const workload = await runtime.start(spec(program, { env }))
    await workload.exited
    assert.match(
      (await texts(workload)).join('\n'),
      /^for [\d.]+ for cart\.shop\.svc\.cluster\.local for stock\.shop\.svc\.cluster\.local$/,
    )
  })

  it('runs a command inside, tells its code and output, and gives up when it takes too long', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec(`${endOnTerm}; ${listen}`, { env: { A: 'b' } }))
    const inside = ['/bin/node', '-e', 'console.log(process.env.A); console.error("e"); process.exit(4)']
    assert.deepEqual(await workload.exec!(inside, { timeoutMs }), { code: 4, output: 'b\ne\n' })
    const endless = ['/bin/node', '-e', 'setInterval(() => {}, 1e6)']
    await assert.rejects(workload.exec!(endless, { timeoutMs: 200 }), { code: 'TIMED_OUT' })
    const usage = await workload.usage!()
    assert.ok(usage!.cpuMs > 0 && usage!.memoryBytes > 0)
  })

  it('lets containers of a Pod reach each other on localhost', async () => {
    await using runtime = openRuntime()
    const first = await runtime.start(spec(`${endOnTerm}; ${listen}`, { otherPorts: [9090] }))
    await first.ready({ timeoutMs })
    const sidecar = `
      fetch('http://localhost:8080').then((answer) => answer.text()).then((text) => console.log('heard', text))
      ${endOnTerm}; require('node:http').createServer((q, r) => r.end('sidecar')).listen(9090)`
    const second = await runtime.start(spec(sidecar, { name: 'sidecar', containerPort: 9090, network: { of: first } }))
    for await (const { text } of second.logs({ follow: true })) if (text === 'heard hello') break
    await second.ready({ timeoutMs })
    assert.equal(await (await fetch(`http://${second.host}:${second.port}`)).text(), 'sidecar')
    assert.equal(second.portOf(8080), first.port)
  })

  it('says which port a program listens on instead of its own', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(
      spec(`${endOnTerm}; require('node:net').createServer().listen(7070, () => console.log('up'))`),
    )
    for await (const { text } of workload.logs({ follow: true })) if (text === 'up') break
    assert.equal(await workload.listeningTrouble!(), 'listens on 7070, not on PORT 8080')
  })

  it('kills a program that ignores SIGTERM', async () => {
    await using runtime = openRuntime()
    const workload = await runtime.start(spec(`process.on('SIGTERM', () => {}); ${listen}`))
    await workload.ready({ timeoutMs })
    await workload.stop({ graceMs: 50 })
    assert.deepEqual(await workload.exited, { code: 137 })
  })

  it('tells a program that needed more memory than allowed from one that was killed', async () => {
    await using runtime = openRuntime()
    const greedy = `const kept = []; for (;;) kept.push(Buffer.alloc(1e7, 1))`
    const workload = await runtime.start(spec(greedy, { resources: { memoryBytes: 100e6, cpuMillis: 500 } }))
    assert.deepEqual(await workload.exited, { code: 137, outOfMemory: true })
  })

  it('keeps the newest lines of a program that floods its output', async () => {
    await using runtime = openRuntime({ logLimits: { linesMax: 10 } })
    const workload = await runtime.start(spec(`for (let i = 0; i < 1_000_000; i++) console.log('line', i)`))
    await workload.exited
    assert.equal((await texts(workload)).at(-1), 'line 999999')
    assert.equal((await texts(workload)).length, 10)
  })

  it('says which image cannot be had, in the words of the engine', async () => {
    await using runtime = openRuntime()
    await using nobody = await serve((_request, response) => response.writeHead(404).end())
    const image = `127.0.0.1:${nobody.port}/shop/cart:v1`
    const heard: StartProgress[] = []
    await assert.rejects(runtime.start(spec('', { image }), { onProgress: (progress) => heard.push(progress) }), {
      code: 'IMAGE_PULL_FAILED',
      message: new RegExp(`127\\.0\\.0\\.1:${nobody.port}`),
    })
    assert.deepEqual(heard, [{ kind: 'pulling', image, receivedBytes: 0, totalBytes: 0 }])
    await assert.rejects(runtime.resolveDigest!(spec('', { image })), { code: 'IMAGE_PULL_FAILED' })
    await assert.rejects(runtime.start(spec('', { image: 'localhost/none:v1', imagePullPolicy: 'Never' })), {
      code: 'IMAGE_PULL_FAILED',
      message: 'Container image "localhost/none:v1" is not present with pull policy of Never',
    })
  })

  it('runs an image by its digest, and tells it', async () => {
    await using runtime = openRuntime()
    const elsewhere = 'registry.example/shop/cart:v1'
    await podman!.run('tag', nodeImage, elsewhere)
    const digest = await runtime.resolveDigest!(spec('', { image: elsewhere }))
    assert.match(digest!, /^registry\.example\/shop\/cart@sha256:[0-9a-f]{64}$/)
    assert.equal(await runtime.resolveDigest!(spec('')), undefined, 'local images have none')
    const heard: StartProgress[] = []
    const workload = await runtime.start(spec('', { image: digest! }), {
      onProgress: (progress) => heard.push(progress),
    })
    assert.equal((await workload.exited).code, 0)
    assert.match(workload.imageId!, /@sha256:/)
    assert.deepEqual(heard, [{ kind: 'present', image: digest }])
  })

  it('says why a container that exists cannot be started, and leaves nothing behind', async () => {
    await using runtime = openRuntime()
    await assert.rejects(runtime.start(spec('', { command: ['/bin/no-such-program'] })), {
      code: 'WORKLOAD_FAILED',
      message: /no-such-program/,
    })
    assert.equal((await podman!.run('ps', '--all', '--quiet')).trim(), '')
  })

  it('removes what a killed Knode left behind, and nothing of others', async () => {
    const markerFile = join(folder, 'state', 'containers')
    // Not disposed of before: as if killed.
    const left = openRuntime({ markerFile })
    const others = openRuntime({ owner: '/of/another' })
    const program = `${endOnTerm}; ${listen}`
    const orphan = await left.start(spec(program))
    await using _others = others
    const stranger = await others.start(spec(program))
    await readFile(markerFile)
    await using next = openRuntime({ markerFile })
    const fresh = await next.start(spec(program))
    await orphan.exited
    await Promise.all([fresh.ready({ timeoutMs }), stranger.ready({ timeoutMs })])
    await left[Symbol.asyncDispose]()
  })
})

async function serve(listener: RequestListener): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function texts(workload: Workload): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of workload.logs()) lines.push(text)
  return lines
}
