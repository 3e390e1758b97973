import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../kubernetes/field-error.ts'
import type { Container } from './container-schema.ts'
import type { RevisionSpec, RevisionTemplate } from './revision-template.ts'
import { setNewTemplateDefaults } from './template-defaults.ts'
import type { ServingConfig } from './serving-config.ts'
import { validateNameChange, validateTemplate } from './validate-template.ts'

const shipped: ServingConfig = { defaults: {}, features: {}, autoscaler: {} }
const image = 'example.com/hello'

const aTemplate = (container: Container = {}, spec: RevisionSpec = {}): RevisionTemplate => ({
  spec: { containers: [{ image, ...container }], ...spec },
})
const annotated = (annotations: Record<string, string>): RevisionTemplate => ({
  ...aTemplate(),
  metadata: { annotations },
})

function defaulted(template: RevisionTemplate, config = shipped): RevisionTemplate {
  const draft = structuredClone(template)
  setNewTemplateDefaults(draft, undefined, { config, operation: 'create' })
  return draft
}

/** As admission does: first defaults, then the check. */
const refusal = (template: RevisionTemplate, config = shipped): string =>
  fieldErrorText(validateTemplate(defaulted(template, config), { name: 'hello' }, config))

test('a template gets what it did not ask for', () => {
  assert.deepEqual(defaulted(aTemplate()), {
    spec: {
      containers: [
        {
          image,
          name: 'user-container',
          resources: {},
          readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
        },
      ],
      timeoutSeconds: 300,
      containerConcurrency: 0,
      enableServiceLinks: false,
    },
  })
})

test('defaults are idempotent, and keep what the user said', () => {
  const given = aTemplate(
    { name: 'mine', readinessProbe: { httpGet: { path: '/' }, periodSeconds: 5 } },
    { timeoutSeconds: 10, containerConcurrency: 3 },
  )
  const once = defaulted(given)
  assert.deepEqual(defaulted(once), once)
  const [{ name, readinessProbe }] = once.spec!.containers as [Container]
  assert.equal(name, 'mine')
  assert.deepEqual(readinessProbe, {
    httpGet: { path: '/' },
    periodSeconds: 5,
    successThreshold: 1,
    failureThreshold: 3,
    timeoutSeconds: 1,
  })
  assert.deepEqual([once.spec!.timeoutSeconds, once.spec!.containerConcurrency], [10, 3])
})

test('a long total timeout alone brings the shorter timeout to the first byte with it', () => {
  const of = (timeoutSeconds: number, config = shipped) =>
    defaulted(aTemplate({}, { timeoutSeconds }), config).spec!.responseStartTimeoutSeconds
  assert.equal(of(600), 300)
  assert.equal(of(300), undefined)
  assert.equal(of(0), undefined)
  assert.equal(of(600, { ...shipped, defaults: { 'revision-response-start-timeout-seconds': '0' } }), undefined)
})

test('several unnamed containers are numbered, past the names that are taken', () => {
  const containers: Container[] = [
    { image, ports: [{ containerPort: 8080 }] },
    { image, name: 'user-container-1' },
    { image },
  ]
  const { spec } = defaulted({ spec: { containers } })
  assert.deepEqual(
    spec!.containers!.map(({ name }) => name),
    ['user-container-0', 'user-container-1', 'user-container-2'],
  )
  assert.deepEqual(
    spec!.containers!.map(({ readinessProbe }) => readinessProbe !== undefined),
    [true, false, false],
  )
})

test('a persistent volume claim needs a flag, and another one to be written to', () => {
  const claim = (readOnly: boolean): RevisionTemplate => {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'c', readOnly } }]
    return aTemplate({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes })
  }
  const flags = (features: Record<string, string>): ServingConfig => ({ ...shipped, features })
  const claims = flags({ 'kubernetes.podspec-persistent-volume-claim': 'enabled' })
  const both = flags({ ...claims.features, 'kubernetes.podspec-persistent-volume-write': 'Enabled' })
  const noWrite =
    'Persistent volume write support is disabled, but found persistent volume claim c that is not read-only: ' +
    'spec.volumes[0]'
  assert.match(refusal(claim(true)), /^Persistent volume claim support is disabled/)
  assert.ok(refusal(claim(false)).includes(noWrite))
  assert.equal(refusal(claim(true), claims), '')
  assert.equal(refusal(claim(false), claims), noWrite)
  assert.equal(refusal(claim(false), both), '')
})

test('mounts are read-only where the volume is', () => {
  const volumeMounts = [
    { name: 'config', mountPath: '/config' },
    { name: 'scratch', mountPath: '/scratch' },
  ]
  const volumes = [
    { name: 'config', configMap: { name: 'c' } },
    { name: 'scratch', emptyDir: {} },
  ]
  const template = aTemplate({ volumeMounts }, { volumes })
  const mounts = defaulted(template).spec!.containers![0]!.volumeMounts!
  assert.deepEqual(
    mounts.map(({ readOnly }) => readOnly),
    [true, undefined],
  )
  assert.equal(refusal(template), '')
})

test('a template is refused in upstream’s words', () => {
  const spec = 'spec.containers[0]'
  const rows: [template: RevisionTemplate, refusal: string][] = [
    [aTemplate(), ''],
    [{ spec: {} }, 'missing field(s): spec.containers'],
    [aTemplate({ image: '' }), `missing field(s): ${spec}.image`],
    [
      aTemplate({ image: 'foo:bar:baz' }),
      `Failed to parse image reference: ${spec}.image\nimage: "foo:bar:baz", error: could not parse reference: foo:bar:baz`,
    ],
    [aTemplate({ image: `localhost:5000/a/b@sha256:${'0'.repeat(64)}` }), ''],
    [aTemplate({ image: 'a/b:v1.2-rc_3' }), ''],
    [aTemplate({}, { timeoutSeconds: 700 }), 'expected 0 <= 700 <= 600: spec.timeoutSeconds'],
    [aTemplate({}, { containerConcurrency: 1_001 }), 'expected 0 <= 1001 <= 1000: spec.containerConcurrency'],
    [aTemplate({}, { containerConcurrency: -1 }), 'expected 0 <= -1 <= 1000: spec.containerConcurrency'],
    [aTemplate({ name: 'queue-proxy' }), `"queue-proxy" is a reserved container name: ${spec}.name`],
    [
      aTemplate({ env: [{ name: 'PORT', value: '1' }, { name: 'K_SERVICE' }, { value: 'x' }] }),
      `"K_SERVICE" is a reserved environment variable: ${spec}.env[1].name\n` +
        `"PORT" is a reserved environment variable: ${spec}.env[0].name\n` +
        `missing field(s): ${spec}.env[2].name`,
    ],
    [
      aTemplate({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'x' } } }] }),
      `must not set the field(s): ${spec}.env[0].valueFrom.fieldRef`,
    ],
    [
      aTemplate({ envFrom: [{}] }),
      `expected exactly one, got neither: ${spec}.envFrom.configMapRef, ${spec}.envFrom.secretRef`,
    ],
    [
      aTemplate({ ports: [{ name: 'grpc' }] }),
      `Port name grpc is not allowed: ${spec}.ports\nName must be empty, or one of: 'h2c', 'http1'`,
    ],
    [
      aTemplate({ ports: [{ containerPort: 8012 }] }),
      `invalid value: 8012 is a reserved port: ${spec}.ports.containerPort\n8012 is a reserved port, please use a different value`,
    ],
    [aTemplate({ ports: [{ containerPort: 70_000 }] }), `expected 0 <= 70000 <= 65535: ${spec}.ports.containerPort`],
    [aTemplate({ ports: [{ protocol: 'UDP' }] }), `invalid value: UDP: ${spec}.ports.protocol`],
    [
      aTemplate({ ports: [{ hostPort: 80, hostIP: '::' }] }),
      `must not set the field(s): ${spec}.ports.hostIP, ${spec}.ports.hostPort`,
    ],
    [
      aTemplate({ ports: [{ containerPort: 1 }, { containerPort: 2 }] }),
      'more than one container port is set: spec.containers[*].ports\nOnly a single port is allowed across all containers',
    ],
    [{ spec: { containers: [{ image }, { image }] } }, 'missing field(s): spec.containers[*].ports'],
    [
      aTemplate({ lifecycle: {}, tty: true, stdin: false }),
      `must not set the field(s): ${spec}.lifecycle, ${spec}.tty`,
    ],
    [aTemplate({}, { nodeName: 'n', hostNetwork: true }), 'must not set the field(s): spec.hostNetwork, spec.nodeName'],
    [
      aTemplate({}, { automountServiceAccountToken: true }),
      'must not set the field(s): spec.automountServiceAccountToken',
    ],
    [aTemplate({}, { automountServiceAccountToken: false }), ''],
    [
      aTemplate({}, { initContainers: [{ image }] }),
      'pod spec support for init-containers is off, but found 1 init containers: spec',
    ],
    [aTemplate({}, { volumes: [{ name: 'v', secret: {} }] }), 'volume with name "v" not mounted: spec.volumes[0].name'],
    [
      aTemplate({ volumeMounts: [{ name: 'v', mountPath: '/dev/' }] }),
      `mountPath "/dev" is a reserved path: ${spec}.volumeMounts[0].mountPath\n` +
        `volumeMount has no matching volume: ${spec}.volumeMounts[0].name`,
    ],
    [
      aTemplate({ readinessProbe: { failureThreshold: 3 } }),
      `failureThreshold is disallowed when periodSeconds is zero: ${spec}.readinessProbe.failureThreshold`,
    ],
    [
      aTemplate({ readinessProbe: { httpGet: {}, tcpSocket: {} } }),
      `expected exactly one, got both: ${spec}.readinessProbe.httpGet, ${spec}.readinessProbe.tcpSocket`,
    ],
    [
      aTemplate({ livenessProbe: {} }),
      `expected exactly one, got neither: ${['exec', 'grpc', 'httpGet', 'tcpSocket'].map((each) => `${spec}.livenessProbe.${each}`).join(', ')}`,
    ],
    [
      aTemplate({ livenessProbe: { httpGet: { port: 'web' } } }),
      `invalid value: web: ${spec}.livenessProbe.httpGet.port\nProbe port must match container port`,
    ],
    [
      aTemplate({ securityContext: { privileged: true } }),
      `must not set the field(s): ${spec}.securityContext.privileged`,
    ],
    [aTemplate({ securityContext: { privileged: false, runAsUser: 1_000 } }), ''],
    [aTemplate({ terminationMessagePolicy: 'Never' }), `invalid value: Never: ${spec}.terminationMessagePolicy`],
  ]
  for (const [template, expected] of rows) assert.equal(refusal(template), expected)
})

test('a flag of config-features opens a gated field', () => {
  const template = aTemplate({}, { nodeSelector: { a: 'b' } })
  const features = { 'kubernetes.podspec-nodeselector': 'Enabled' }
  assert.equal(refusal(template), 'must not set the field(s): spec.nodeSelector')
  assert.equal(refusal(template, { ...shipped, features }), '')
})

test('annotations of autoscaling are refused in upstream’s words', () => {
  const key = (name: string): string => `autoscaling.knative.dev/${name}`
  const path = (name: string): string => `metadata.annotations.${key(name)}`
  const rows: [annotations: Record<string, string>, refusal: string][] = [
    [{ 'min-scale': '1', 'max-scale': '3', window: '60s', target: '0.5', metric: 'rps' }, ''],
    [{ class: 'other.example.com', metric: 'anything' }, ''],
    [{ class: 'foo.knative.dev' }, `invalid value: foo.knative.dev: ${path('class')}`],
    [{ 'min-scale': '-1' }, `expected 0 <= -1 <= 2147483647: ${path('min-scale')}`],
    [{ minScale: 'one' }, `invalid value: one: ${path('minScale')}`],
    [
      { 'min-scale': '3', 'max-scale': '2' },
      `max-scale=2 is less than min-scale=3: ${path('max-scale')}, ${path('min-scale')}`,
    ],
    [{ 'activation-scale': '1' }, `activation-scale=1 must be greater than 1: ${path('activation-scale')}`],
    [{ 'initial-scale': '0' }, `invalid value: 0: ${path('initial-scale')}=0 not allowed by cluster`],
    [{ window: '5s' }, `expected 6s <= 5s <= 1h0m0s: ${path('window')}`],
    [{ window: '6500ms' }, `must be specified with at most second precision: ${path('window')}`],
    [{ window: 'soon' }, `invalid value: soon: ${path('window')}`],
    [{ 'scale-down-delay': '2h' }, `expected 0s <= 2h <= 1h0m0s: ${path('scale-down-delay')}`],
    [{ target: '0' }, `target 0 should be at least 0.01: ${path('target')}`],
    [{ 'target-burst-capacity': '-2' }, `invalid value: -2: ${path('target-burst-capacity')}`],
    [{ 'target-burst-capacity': '-1' }, ''],
    [{ 'panic-threshold-percentage': '100' }, `expected 110 <= 100 <= 1000: ${path('panic-threshold-percentage')}`],
    [{ metric: 'cpu' }, `invalid value: cpu: ${path('metric')}`],
    [{ metric: 'cpu', class: 'hpa.autoscaling.knative.dev' }, ''],
  ]
  for (const [annotations, expected] of rows) {
    const named = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [key(name), value]))
    assert.equal(refusal(annotated(named)), expected, JSON.stringify(annotations))
  }
})

test('other annotations are checked, too', () => {
  const deadline = 'serving.knative.dev/progress-deadline'
  const at = `metadata.annotations.${deadline}`
  assert.equal(refusal(annotated({ [deadline]: '1.5s' })), `progress-deadline=1.5s is not at second precision: ${at}`)
  assert.equal(refusal(annotated({ [deadline]: '-1s' })), `progress-deadline=-1s must be positive: ${at}`)
  assert.equal(
    refusal(annotated({ 'networking.knative.dev/foo': 'x', 'networking.knative.dev/ingress-class': 'y' })),
    'invalid key name "networking.knative.dev/foo": metadata.annotations',
  )
})

test('a Revision’s own name begins with its Service’s', () => {
  const named = (name: string): RevisionTemplate => ({ ...aTemplate(), metadata: { name } })
  assert.equal(refusal(named('hello-v1')), '')
  assert.equal(refusal(named('v1')), 'invalid value: "v1" must have prefix "hello-": metadata.name')
  assert.match(
    refusal(named('hello-V1')),
    /^invalid value: not a DNS 1035 label: \[a DNS-1035 label must consist of .*\]: metadata\.name$/,
  )
  const parent = { name: '', generateName: 'hello-' }
  const errors = validateTemplate(defaulted(named('hello-v1')), parent, shipped)
  assert.equal(fieldErrorText(errors), 'must not set the field(s): metadata.name')
})

test('under the same name of its own a template must not change', () => {
  const named = (timeoutSeconds: number, name = 'hello-v1'): RevisionTemplate => ({
    metadata: { name },
    spec: { timeoutSeconds },
  })
  assert.deepEqual(validateNameChange(named(1), named(1)), [])
  assert.deepEqual(validateNameChange(named(1, 'hello-v2'), named(2)), [])
  const [error] = validateNameChange(named(1), named(2))
  assert.equal(error?.message, 'Saw the following changes without a name change (-old +new)')
  assert.deepEqual(error?.paths, ['metadata.name'])
  assert.match(error?.details ?? '', /TimeoutSeconds:\n\t-: 2\n\t\+: 1/)
})

test('resources come from config-defaults, where the user gives none', () => {
  const config = {
    ...shipped,
    defaults: {
      'revision-cpu-request': '100m',
      'revision-memory-limit': '1Gi',
      'revision-ephemeral-storage-limit': '',
    },
  }
  const { spec } = defaulted(aTemplate({ resources: { requests: { cpu: '1' } } }), config)
  assert.deepEqual(spec?.containers?.[0]?.resources, { requests: { cpu: '1' }, limits: { memory: '1Gi' } })
  const bare = defaulted(aTemplate(), config)
  assert.deepEqual(bare.spec?.containers?.[0]?.resources, { requests: { cpu: '100m' }, limits: { memory: '1Gi' } })
})

test('annotations for the queue-proxy that Knode does not have are checked all the same', () => {
  const group = 'queue.sidecar.serving.knative.dev'
  assert.equal(refusal(annotated({ [`${group}/cpu-resource-request`]: '100m' })), '')
  assert.equal(
    refusal(annotated({ [`${group}/memory-resource-limit`]: 'much' })),
    `invalid value: much: metadata.annotations[${group}/memory-resource-limit]`,
  )
  const deprecated =
    'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set ' +
    `resource values per service: metadata.annotations[${group}/resource-percentage]`
  assert.equal(refusal(annotated({ [`${group}/resource-percentage`]: '50' })), deprecated)
  assert.equal(
    refusal(annotated({ [`${group}/resource-percentage`]: '101' })),
    `${deprecated}\nexpected 0.1 <= 101 <= 100: metadata.annotations[${group}/resource-percentage]`,
  )
})

test('the name of an unnamed container may be made from its Service’s', () => {
  const config = { ...shipped, defaults: { 'container-name-template': '{{.Name}}-main' } }
  const template = setNewTemplateDefaults(aTemplate(), undefined, {
    config,
    operation: 'create',
    parent: { name: 'hello' },
  })
  assert.equal(template.spec?.containers?.[0]?.name, 'hello-main')
})

test('resources that are no quantities are refused', () => {
  assert.equal(
    refusal(aTemplate({ resources: { limits: { cpu: 'lots', memory: '1Gi' }, requests: { cpu: 1 } } })),
    'invalid value: lots: spec.containers[0].resources.limits[cpu]\n' +
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  )
})
