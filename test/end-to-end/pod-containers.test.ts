// Pods whose containers are containers: what they share, what they see, and how they end, with a real Podman and kubectl.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import test from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { silentLogger } from '../../src/base/log.ts'
import { createKubectl, patience } from '../harness/kubectl.ts'
import { startPodman } from '../harness/podman.ts'
import { skipUnlessInstalled } from '../harness/programs.ts'

/** Answers with what its neighbour on localhost says, the init container has written, and the ConfigMap holds. */
const main = `
const { readFileSync } = require('node:fs')
const server = require('node:http').createServer(async (request, response) => {
  if (request.url === '/crash') process.exit(7)
  const side = await fetch('http://localhost:8882').then((answer) => answer.text(), (error) => 'nobody')
  const [made, color] = [readFileSync('/shared/made', 'utf8'), readFileSync('/etc/config/color', 'utf8')]
  response.end([side, made, color, process.env.POD].join(' '))
})
server.keepAliveTimeout = 0
server.listen(process.env.PORT, () => console.log('main listens'))
process.on('SIGTERM', () => process.exit(0))
`
const side = `
require('node:http').createServer((request, response) => response.end('side')).listen(8882, () => console.log('side listens'))
process.on('SIGTERM', () => process.exit(0))
`
const init = `
require('node:fs').writeFileSync('/shared/made', 'made')
console.log('init done')
`

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: blue }
---
apiVersion: v1
kind: Pod
metadata: { name: family, labels: { app: family } }
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
    - name: init
      image: localhost/family/init:v1
      volumeMounts: [{ name: shared, mountPath: /shared }]
  containers:
    - name: main
      image: localhost/family/main:v1
      ports: [{ containerPort: 8080 }]
      env: [{ name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
      readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1, timeoutSeconds: 300 }
      livenessProbe: { exec: { command: [node, -e, 'process.exit(0)'] }, periodSeconds: 5, timeoutSeconds: 300 }
      volumeMounts:
        - { name: shared, mountPath: /shared }
        - { name: config, mountPath: /etc/config }
    - name: side
      image: localhost/family/side:v1
      readinessProbe: { tcpSocket: { port: 8882 }, timeoutSeconds: 300 }
  volumes:
    - { name: shared, emptyDir: {} }
    - { name: config, configMap: { name: settings } }
---
apiVersion: v1
kind: Service
metadata: { name: family }
spec:
  selector: { app: family }
  ports: [{ port: 80, targetPort: 8080 }]
`

function ask(gatewayUrl: string, path = '/'): Promise<string> {
  const headers = { host: 'family.default.svc.cluster.local' }
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, gatewayUrl), { headers, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve(`${response.statusCode} ${body.trim()}`))
    })
    request.on('error', reject).end()
  })
}

test('containers of a Pod share network and volumes, restart alone, and are gone with it', async (t) => {
  if (!skipUnlessInstalled(t, 'kubectl')) return
  await using podman = await startPodman(t)
  if (podman === undefined) return
  for (const [name, program] of Object.entries({ main, side, init })) {
    await podman.build(`localhost/family/${name}:v1`, program)
  }
  process.env['DOCKER_HOST'] = podman.dockerHost
  await using knode = await startKnode({ memory: true, apiPort: 0, gatewayPort: 0, log: silentLogger })
  await using kubectl = await createKubectl({ kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') })
  await kubectl.ok(['apply', '-f', await kubectl.file('family.yaml', manifest)])
  await kubectl.ok(['wait', '--for=condition=Ready', 'pod/family', patience]).catch(async (error: unknown) => {
    throw new Error(await kubectl.ok(['describe', 'pod', 'family']), { cause: error })
  })

  await t.test('the sidecar answers on localhost, files come from the init container and the ConfigMap', async () => {
    assert.equal(await ask(knode.gatewayUrl), '200 side made blue family')
    assert.match(await kubectl.ok(['get', 'pod', 'family']), /family +2\/2 +Running +0 /)
    assert.equal(await kubectl.ok(['logs', 'family', '-c', 'init']), 'init done\n')
    assert.equal(await kubectl.ok(['logs', 'family', '-c', 'side']), 'side listens\n')
  })

  await t.test('a container that ends is started again, and the one that shared its network with it', async () => {
    await ask(knode.gatewayUrl, '/crash').catch(() => undefined)
    const watching = kubectl.start(['get', 'pod', 'family', '-w'])
    await watching.until(/family +2\/2 +Running +2 /)
    await watching.stop()
    assert.equal(await ask(knode.gatewayUrl), '200 side made blue family')
    const last = ['-o', 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}']
    assert.equal(await kubectl.ok(['get', 'pod', 'family', ...last]), '7')
  })

  await t.test('nothing is left of a Pod that is deleted', async () => {
    await kubectl.ok(['delete', 'pod', 'family', patience])
    // The engine removes a container a moment after its end.
    await eventually(
      async () => (await podman.run('ps', '--all', '--quiet')).trim() === '',
      'no container to be left',
      programPatience,
    )
  })
})
