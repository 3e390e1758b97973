// Fields without effect are told; what every manifest carries is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../field-error.ts'
import { idleFieldWarnings } from './idle-fields.ts'

const command = { 'knode.dev/command': 'node shop.js' }
const container = (fields: object): object => ({ containers: [{ name: 'a', image: 'i', ...fields }] })

const told: [what: string, spec: object, text: string][] = [
  [
    'where to run, all of it in one sentence',
    { affinity: { nodeAffinity: {} }, tolerations: [{ operator: 'Exists' }] },
    'no effect in Knode: affinity, tolerations\n(Knode runs everything on its own machine and schedules nothing)',
  ],
  [
    'labels of nodes',
    { nodeSelector: { 'kubernetes.io/os': 'linux', gpu: 'yes' } },
    'no effect in Knode: nodeSelector\n(Knode runs everything on its own machine and schedules nothing)',
  ],
  [
    'another machine',
    { nodeName: 'n' },
    'no effect in Knode: nodeName\n(Knode runs everything on its own machine and schedules nothing)',
  ],
  [
    'another scheduler',
    { schedulerName: 'mine' },
    'no effect in Knode: schedulerName\n(Knode runs everything on its own machine and schedules nothing)',
  ],
  ['priority', { priority: 7 }, 'no effect in Knode: priority\n(Knode ends no Pod to make room for another)'],
  [
    'ports of the machine, with the container they are of',
    { initContainers: [{}], containers: [{}, { ports: [{ containerPort: 1 }, { containerPort: 2, hostPort: 2 }] }] },
    'no effect in Knode: containers[1].ports[1].hostPort\n' +
      '(Knode opens no ports for Pods: its gateway leads to their Services)',
  ],
  [
    'init containers, too',
    { initContainers: [{ tty: true }] },
    'no effect in Knode: initContainers[0].tty\n(programs get neither input nor a terminal)',
  ],
  [
    'hooks that do something',
    container({ lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'deregister && sleep 5'] } } } }),
    'no effect in Knode: containers[0].lifecycle.preStop\n' +
      '(Knode runs no hooks: requests in flight are finished without them)',
  ],
  [
    'hooks that call',
    container({ lifecycle: { postStart: { httpGet: { path: '/', port: 80 } } } }),
    'no effect in Knode: containers[0].lifecycle.postStart\n' +
      '(Knode runs no hooks: requests in flight are finished without them)',
  ],
  [
    'volumes that are not there',
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', persistentVolumeClaim: { claimName: 'c' } },
      ],
    },
    'not supported by Knode: volumes[1].persistentVolumeClaim\n' +
      '(a container that needs it waits in CreateContainerConfigError; use emptyDir or hostPath)',
  ],
]
for (const [what, spec, text] of told) {
  test(`a Pod’s manifest that sets ${what}: told`, () => {
    assert.equal(fieldErrorText(idleFieldWarnings(spec)), text)
    assert.match(text, /^[\x20-\x7e\n]+$/, 'headers can hold nothing else')
  })
}

test('the namespaces of the machine are what a process has anyway, and a container never', () => {
  const spec = { hostPID: true, hostNetwork: true, hostIPC: false }
  assert.deepEqual(idleFieldWarnings(spec, command), [])
  assert.match(fieldErrorText(idleFieldWarnings(spec)), /^no effect in Knode: hostNetwork, hostPID\n/)
})

test('host aliases are for containers', () => {
  const spec = { hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }] }
  assert.deepEqual(idleFieldWarnings(spec), [])
  assert.match(fieldErrorText(idleFieldWarnings(spec, command)), /^no effect in Knode: hostAliases\n/)
  assert.equal(idleFieldWarnings(spec, { 'knode.dev/function': 'f.ts' }).length, 1)
})

test('what real manifests carry all the time stays quiet', () => {
  const spec = {
    serviceAccountName: 'shop',
    automountServiceAccountToken: false,
    enableServiceLinks: true,
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    dnsPolicy: 'ClusterFirst',
    priority: 0,
    nodeName: 'knode',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [],
    affinity: {},
    hostNetwork: false,
    securityContext: { runAsNonRoot: true, fsGroup: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
    imagePullSecrets: [{ name: 'login' }],
    volumes: [
      { name: 'a', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'b', configMap: { name: 'b' } },
      { name: 'c', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    ],
    containers: [
      {
        name: 'shop',
        image: 'example.com/shop:1',
        imagePullPolicy: 'IfNotPresent',
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '1Gi' } },
        securityContext: {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        volumeMounts: [{ name: 'a', mountPath: '/a', mountPropagation: 'None' }],
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
        readinessProbe: { httpGet: { path: '/', port: 8080 } },
        terminationMessagePath: '/dev/termination-log',
      },
      { name: 'side', image: 'i', lifecycle: { preStop: { exec: { command: ['sleep', '10'] } } } },
      { name: 'other', image: 'i', lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 5'] } } } },
    ],
  }
  assert.deepEqual(idleFieldWarnings(spec), [])
  assert.deepEqual(idleFieldWarnings(spec, command), [])
  assert.deepEqual(idleFieldWarnings(), [])
})
