// Plain Deployments and Services, as Knative's own documents use them, with real processes and a real kubectl.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import { eventually } from '../../src/base/eventually.ts'
import { silentLogger } from '../../src/base/log.ts'
import type { Pod } from '../../src/model/kubernetes/pod/pod.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { postBinary } from '../harness/post-event.ts'
import { createKubectl, patience } from '../harness/kubectl.ts'
import type { Kubectl } from '../harness/kubectl.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

/** Prints each event's id, says which version it is, and takes its time where it is asked to. */
const program = `
import { createServer } from 'node:http'
const server = createServer((request, response) => {
  request.resume()
  if (request.headers['ce-id']) console.log('got ' + request.headers['ce-id'])
  if (request.url === '/slow') console.log('slow begins')
  setTimeout(() => response.end(process.env.VERSION + ' ' + process.env.COLOR), request.url === '/slow' ? 1_500 : 0)
})
server.keepAliveTimeout = 0
server.listen(Number(process.env.PORT), () => console.log('listening'))
`

/** Says how often it was started, by a file in its Pod's own directory. */
const counting = `
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const file = process.env.KNODE_MOUNTS + '/own/starts'
appendFileSync(file, 'x')
createServer((_, response) => response.end(String(readFileSync(file).length))).listen(Number(process.env.PORT))
`

const manifest = (directory: string, version: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: display }
spec:
  replicas: 1
  selector: { matchLabels: { app: display } }
  template:
    metadata:
      labels: { app: display }
      annotations:
        knode.dev/command: exec node program.mjs
        knode.dev/workdir: ${directory}
    spec:
      containers:
        - name: display
          image: example.com/display:1
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1, timeoutSeconds: 300 }
          env:
            - { name: VERSION, value: ${version} }
            - { name: COLOR, valueFrom: { configMapKeyRef: { name: colors, key: main } } }
---
apiVersion: v1
kind: Service
metadata: { name: display }
spec:
  selector: { app: display }
  ports: [{ port: 80, targetPort: http }]
`

const mesh = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: display }
spec:
  broker: default
  subscriber: { ref: { apiVersion: v1, kind: Service, name: display } }
`

const host = 'display.default.svc.cluster.local'

function ask(gatewayUrl: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, gatewayUrl), { headers: { host }, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve(`${response.statusCode} ${body.trim()}`))
    })
    request.on('error', reject).end()
  })
}

async function setUp() {
  await using starting = new AsyncDisposableStack()
  const options = { memory: true, apiPort: 0, gatewayPort: 0, log: silentLogger }
  const knode = starting.use(await startKnode(options))
  const kubectl = starting.use(await createKubectl({ kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') }))
  await kubectl.file('program.mjs', program)
  const running = starting.move()
  return { knode, kubectl, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function apply(kubectl: Kubectl, text: string): Promise<void> {
  await kubectl.ok(['apply', '-f', await kubectl.file('manifest.yaml', text)])
}

/** The one that is not on its way out. */
async function podName(kubectl: Kubectl): Promise<string> {
  const list = await kubectl.ok(['get', 'pods', '-l', 'app=display', '-o', 'json'])
  const { items } = JSON.parse(list) as { items: Resource[] }
  return items.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata.name ?? ''
}
const rolledOut = (kubectl: Kubectl): Promise<string> =>
  kubectl.ok(['rollout', 'status', 'deployment/display', patience])

test('a plain Deployment and Service run as a Trigger’s subscriber, scale, roll out, and go', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using bed = await setUp()
  const { knode, kubectl } = bed
  const gateway = knode.gatewayUrl

  await t.test('a Pod waits for its ConfigMap, and starts when it comes', async () => {
    await apply(kubectl, manifest(kubectl.directory, 'v1') + '---' + mesh)
    const waiting = kubectl.start(['get', 'pods', '-w'])
    await waiting.until(/display-\S+ +0\/1 +CreateContainerConfigError/)
    assert.equal(await ask(gateway), '503 no Pod of the Service is ready')
    await kubectl.ok(['create', 'configmap', 'colors', '--from-literal=main=blue'])
    await waiting.until(/display-\S+ +1\/1 +Running/)
    await waiting.stop()
    await rolledOut(kubectl)
    assert.equal(await ask(gateway), '200 v1 blue')
  })

  await t.test('kubectl shows Pods and Deployments as it does elsewhere', async () => {
    const pods = await kubectl.ok(['get', 'pods', '-o', 'wide'])
    assert.match(pods, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/)
    const deployments = await kubectl.ok(['get', 'deployments', '-o', 'wide'])
    assert.match(deployments, /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\n/)
    assert.match(deployments, /display +1\/1 +1 +1 +\S+ +display +example\.com\/display:1 +app=display/)
    const described = await kubectl.ok(['describe', 'pod', await podName(kubectl)])
    assert.match(described, /Controlled By: +Deployment\/display/)
    assert.match(described, /Normal +Started .*Started container display/)
  })

  await t.test('events reach it through Broker and Trigger, and its log tells so as it happens', async () => {
    await kubectl.ok(['wait', '--for=condition=Ready', patience, 'trigger/display'])
    const following = kubectl.start(['logs', '-f', 'deployment/display'])
    await following.until(/listening/)
    const posted = await postBinary(`${gateway}/default/default`, { id: 'e-1', type: 't' }, '{}')
    assert.equal(posted.status, 202)
    await following.until(/got e-1/)
    await following.stop()
    const last = await kubectl.ok(['logs', await podName(kubectl), '--tail=1', '--timestamps'])
    assert.match(last, /^\d{4}-\d\d-\d\dT[\d:.]+Z got e-1\n$/)
  })

  await t.test('kubectl scale makes and removes Pods', async () => {
    await kubectl.ok(['scale', 'deployment/display', '--replicas=3'])
    await rolledOut(kubectl)
    assert.match(await kubectl.ok(['get', 'deployment', 'display']), /display +3\/3 +3 +3/)
    await kubectl.ok(['scale', 'deployment/display', '--replicas=1', '--current-replicas=3'])
    await kubectl.ok(['wait', '--for=jsonpath={.status.replicas}=1', 'deployment/display', patience])
    const refused = await kubectl.run(['scale', 'deployment/display', '--replicas=5', '--current-replicas=3'])
    assert.match(refused.stderr, /Expected replicas to be 3, was 1/)
  })

  await t.test('a new version takes over without a failed request', async () => {
    const answers: string[] = []
    const over = new AbortController()
    const asking = (async () => {
      while (!over.signal.aborted) answers.push(await ask(gateway))
    })()
    await apply(kubectl, manifest(kubectl.directory, 'v2'))
    await rolledOut(kubectl)
    answers.push(await ask(gateway))
    over.abort()
    await asking
    assert.deepEqual(
      answers.filter((answer) => !/^200 v[12] blue$/.test(answer)),
      [],
    )
    assert.equal(answers.at(-1), '200 v2 blue')
    await kubectl.ok(['rollout', 'restart', 'deployment/display'])
    await rolledOut(kubectl)
  })

  await t.test('a Pod that is deleted answers the request it has, and is replaced', async () => {
    const name = await podName(kubectl)
    const following = kubectl.start(['logs', '-f', name])
    const slow = ask(gateway, '/slow')
    await following.until(/slow begins/)
    await kubectl.ok(['delete', 'pod', name, patience])
    assert.equal(await slow, '200 v2 blue')
    await following.stop()
    await rolledOut(kubectl)
    assert.notEqual(await podName(kubectl), name)
  })

  await t.test('its Pods go with the Deployment', async () => {
    await kubectl.ok(['delete', 'deployment', 'display', '--cascade=foreground', patience])
    assert.equal(await kubectl.ok(['get', 'pods', '-o', 'name']), '')
    assert.equal(await ask(gateway), '503 no Pod of the Service is ready')
  })
})

test('what kubectl makes by itself runs: create deployment, run, and a program that fails', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using bed = await setUp()
  const { kubectl } = bed
  const image = 'gcr.io/knative-releases/knative.dev/eventing/cmd/event_display'
  await kubectl.ok(['create', 'deployment', 'made', `--image=${image}`, '--port=8080', '--replicas=2'])
  await kubectl.ok(['rollout', 'status', 'deployment/made', patience])
  await kubectl.ok(['run', 'one', `--image=${image}`, '--port=8080'])
  await kubectl.ok(['wait', '--for=condition=Ready', 'pod/one', patience])

  const command = 'knode.dev/command=echo last words; exit 5'
  await kubectl.ok(['run', 'failing', '--image=x', '--restart=Never', `--annotations=${command}`])
  await kubectl.ok(['wait', '--for=jsonpath={.status.phase}=Failed', 'pod/failing', patience])
  assert.match(await kubectl.ok(['get', 'pod', 'failing']), /failing +0\/1 +Error +0 /)
  assert.equal(await kubectl.ok(['logs', 'failing']), 'last words\n')

  await kubectl.ok(['run', 'crashing', '--image=x', `--annotations=${command}`])
  const watching = kubectl.start(['get', 'pod', 'crashing', '-w'])
  await watching.until(/crashing +0\/1 +CrashLoopBackOff +[1-9]/)
  await watching.stop()
  assert.equal(await kubectl.ok(['logs', 'crashing', '--previous']), 'last words\n')

  await kubectl.ok(['run', 'nothing', '--image=example.com/nothing:1'])
  const waiting = kubectl.start(['get', 'pod', 'nothing', '-w'])
  await waiting.until(/nothing +0\/1 +(ErrImagePull|ImagePullBackOff)/)
  await waiting.stop()
  await kubectl.ok(['delete', 'pods', '--all', patience])
})

test('after a restart of Knode the same Pods run again, and their own directories are as they were', async () => {
  await using directory = await temporaryDirectory()
  await writeFile(join(directory.path, 'program.mjs'), counting)
  const options = { dataDir: join(directory.path, 'data'), apiPort: 0, gatewayPort: 0, log: silentLogger }
  const command = { 'knode.dev/command': 'exec node program.mjs', 'knode.dev/workdir': directory.path }
  const counter: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'counter', namespace: 'default', labels: { app: 'display' }, annotations: command },
    spec: {
      containers: [
        {
          name: 'counter',
          image: 'example.com/counter:1',
          ports: [{ containerPort: 8080 }],
          volumeMounts: [{ name: 'own', mountPath: '/own' }],
        },
      ],
      volumes: [{ name: 'own', emptyDir: {} }],
    },
  }
  const service = { selector: { app: 'display' }, ports: [{ port: 80, targetPort: 8080 }] }
  const seen: [count: string, restarts: number | undefined, uid: string | undefined][] = []
  for (const start of [1, 2, 3]) {
    await using knode = await startKnode(options)
    if (start === 1) {
      await knode.client.create({
        ...counter,
        kind: 'Service',
        metadata: { name: 'display', namespace: 'default' },
        spec: service,
      })
      await knode.client.create(counter)
    }
    let answer = ''
    await eventually(
      async () => (answer = await ask(knode.gatewayUrl)).startsWith('200'),
      () => `200, not ${answer}`,
    )
    const restarts = ({ status }: Pod): number | undefined => status?.containerStatuses?.[0]?.restartCount
    const counted = await eventually(
      async () => {
        const pod = await knode.client.get<Pod>('Pod', 'default', 'counter')
        return pod !== undefined && restarts(pod) === start - 1 && pod
      },
      `${start - 1} restarts to be told`,
    )
    seen.push([answer, restarts(counted), counted.metadata.uid])
  }
  assert.deepEqual(
    seen.map(([answer, restarts]) => [answer, restarts]),
    [
      ['200 1', 0],
      ['200 2', 1],
      ['200 3', 2],
    ],
  )
  assert.equal(new Set(seen.map(([, , uid]) => uid)).size, 1)
})
