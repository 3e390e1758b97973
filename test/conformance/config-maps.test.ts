// Every key of Knative's ConfigMaps is either read by what runs here, or told to have no effect: never neither, nor both.
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { ConfigReader } from '../../src/engine/kind.ts'
import { configMapDefaults } from '../../src/kinds/config-maps.ts'
import { kinds } from '../../src/kinds/registry.ts'
import { retentionRules } from '../../src/kinds/serving/configuration/collect.ts'
import { makePodTemplate } from '../../src/kinds/serving/revision/pod-template.ts'
import type { Revision } from '../../src/kinds/serving/revision/schema.ts'
import { brokerChannelTemplate } from '../../src/model/knative/channel-template.ts'
import { fits } from '../../src/model/knative/config-keys/keys.ts'
import { configWarnings, knativeConfigKeys } from '../../src/model/knative/config-keys/warnings.ts'
import { readMetricsExport, readTracesExport } from '../../src/model/knative/observability-config.ts'
import { parseApiVersion } from '../../src/model/kubernetes/resource.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { parseYaml } from '../../src/model/kubernetes/yaml.ts'
import { readAutoscalerConfig } from '../../src/model/serving/autoscaler-config.ts'
import { checkAutoscalerConfig } from '../../src/model/serving/config-check/autoscaler.ts'
import { checkDefaultsConfig } from '../../src/model/serving/config-check/defaults.ts'
import { checkNetworkConfig } from '../../src/model/serving/config-check/network.ts'
import {
  checkDeploymentConfig,
  checkEventingObservabilityConfig,
  checkGcConfig,
  checkLeaderElectionConfig,
  checkLoggingConfig,
  checkObservabilityConfig,
} from '../../src/model/serving/config-check/others.ts'
import { networkConfig } from '../../src/model/serving/network-config.ts'
import { readRequestLogFormat } from '../../src/model/serving/request-log.ts'
import { gatedPodFields } from '../../src/model/serving/revision-template.ts'
import type { ConfigData } from '../../src/model/serving/serving-config.ts'
import { digestTimeoutMs, progressDeadlineMs, skippedRegistries } from '../../src/model/serving/serving-config.ts'

const root = join(import.meta.dirname, '..', '..')
const serving = 'knative-serving'

/** Notes as `NAMESPACE/NAME/KEY` what it is asked for. All keys are absent, but for those that others depend on. */
class Recorder implements ConfigReader {
  readonly asked = new Set<string>()

  data(namespace: string, name: string): ConfigData {
    return new Proxy<Record<string, string>>(
      {},
      {
        get: (_, key) => {
          this.asked.add(`${namespace}/${name}/${String(key)}`)
          return key === 'logging.enable-request-log' ? 'true' : undefined
        },
      },
    )
  }
}

/** A Revision that uses all that flags are about. */
const everything = {
  containers: [
    {
      image: 'i',
      ports: [{ containerPort: 80 }],
      env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      securityContext: { capabilities: { add: ['NET_RAW'] } },
      volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'None' }],
    },
    { image: 'i', readinessProbe: { tcpSocket: { port: 1 } } },
  ],
  volumes: ['emptyDir', 'persistentVolumeClaim', 'hostPath', 'csi', 'ephemeral', 'image'].map((type) => ({
    name: 'v',
    [type]: {},
  })),
  ...Object.fromEntries(Object.keys(gatedPodFields).map((field) => [field, [{ name: 'x' }]])),
}

const aRevision = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Revision',
  metadata: { name: 'r', namespace: 'default' },
  spec: everything,
} as unknown as Revision

/** What examples do not show. */
const others = [
  {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { template: { spec: everything } },
  },
  {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: 't', namespace: 'default' },
    spec: { brokerRef: { kind: 'Broker', name: 'b', apiVersion: 'eventing.knative.dev/v1', namespace: 'other' } },
  },
]

/** Keys that a reconciler reads in passing, with its file: one line each, in worlds too large to build here. */
const inPassing: readonly [key: string, file: string][] = [
  ['config-features/autodetect-http2', 'kinds/core/pod/reconcile.ts'],
  ['config-features/tag-header-based-routing', 'kinds/serving/route/reconcile.ts'],
  ['config-observability/logging.revision-url-template', 'kinds/serving/revision/reconcile.ts'],
]

/** All that admission asks for, and what reconcilers parse. */
async function keysRead(): Promise<Set<string>> {
  const recorder = new Recorder()
  for (const object of [...(await examples()), ...others]) ask(object, recorder)
  const of = (name: string): ConfigData => recorder.data(serving, name)
  readAutoscalerConfig(of('config-autoscaler'))
  networkConfig(of('config-network'))
  retentionRules(of('config-gc'))
  for (const read of [progressDeadlineMs, digestTimeoutMs, skippedRegistries]) read(of('config-deployment'))
  readRequestLogFormat(of('config-observability'))
  readMetricsExport(of('config-observability'))
  readMetricsExport(of('config-observability'), 'request-')
  readTracesExport(of('config-observability'))
  readMetricsExport(recorder.data('knative-eventing', 'config-observability'))
  readTracesExport(recorder.data('knative-eventing', 'config-observability'))
  makePodTemplate(aRevision, of('config-features'))
  brokerChannelTemplate(recorder.data('knative-eventing', 'config-br-default-channel'))
  for (const [key, file] of inPassing) {
    const text = await readFile(join(root, 'src', file), 'utf8')
    if (text.includes(`'${key.split('/')[1]}'`)) recorder.asked.add(`${serving}/${key}`)
  }
  return recorder.asked
}

async function examples(): Promise<Resource[]> {
  const files = await Array.fromAsync(glob(join(root, 'src', 'kinds', '*', '*', 'example.yaml')))
  assert.ok(files.length > 20)
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return texts.flatMap((text) => parseYaml(text).map(({ value }) => value as Resource))
}

function ask(object: Resource, config: ConfigReader): void {
  const { group } = parseApiVersion(object.apiVersion)
  const kind = kinds.find((each) => each.kind === object.kind && each.group === group)
  const context = { operation: 'create', user: { username: 'u' }, config } as const
  kind?.setDefaults?.(object, context)
  kind?.validate?.(object, context)
}

const declared = Object.entries(knativeConfigKeys).flatMap(([namespace, configMaps]) =>
  Object.entries(configMaps).flatMap(([name, { honoured, idle }]) => [
    ...honoured.map((key) => ({ namespace, name, key, isIdle: false, isRead: true })),
    ...idle.flatMap(({ keys, isCarried = false }) =>
      keys.map((key) => ({ namespace, name, key, isIdle: true, isRead: isCarried })),
    ),
  ]),
)
const idOf = ({ namespace, name, key }: (typeof declared)[number]): string => `${namespace}/${name}/${key}`
const isDeclared = (id: string): boolean => declared.some((each) => fits(idOf(each), id))
const exact = declared.filter(({ key }) => !key.endsWith('*'))

test('what ships, and what a value is checked for, is either honoured or told to have no effect', () => {
  const recorder = new Recorder()
  checkAutoscalerConfig(recorder.data(serving, 'config-autoscaler'))
  checkDefaultsConfig(recorder.data(serving, 'config-defaults'))
  checkDeploymentConfig(recorder.data(serving, 'config-deployment'))
  checkGcConfig(recorder.data(serving, 'config-gc'))
  checkLeaderElectionConfig(recorder.data(serving, 'config-leader-election'))
  checkLoggingConfig(recorder.data(serving, 'config-logging'))
  checkNetworkConfig(recorder.data(serving, 'config-network'))
  checkObservabilityConfig(recorder.data(serving, 'config-observability'))
  checkEventingObservabilityConfig(recorder.data('knative-eventing', 'config-observability'))
  const shipped = configMapDefaults.flatMap(({ metadata, data }) =>
    Object.keys(data).map((key) => `${metadata.namespace}/${metadata.name}/${key}`),
  )
  assert.deepEqual(
    [...recorder.asked, ...shipped].filter((id) => !isDeclared(id)),
    [],
  )
  for (const { metadata } of configMapDefaults) {
    assert.ok(knativeConfigKeys[metadata.namespace ?? '']?.[metadata.name] !== undefined, metadata.name)
  }
})

test('what is said to be honoured is read, what is said to have no effect is not, and nothing else is read', async () => {
  const read = await keysRead()
  assert.deepEqual(
    exact
      .filter(({ isRead }) => isRead)
      .filter((each) => !read.has(idOf(each)))
      .map(idOf),
    [],
    'said to be read, but nobody does',
  )
  assert.deepEqual(
    exact
      .filter(({ isRead }) => !isRead)
      .filter((each) => read.has(idOf(each)))
      .map(idOf),
    [],
    'said to have no effect, but somebody reads it',
  )
  assert.deepEqual(
    [...read].filter((id) => !isDeclared(id)),
    [],
    'read, but not told anywhere',
  )
})

test('no key has two stories', () => {
  const ids = declared.map(idOf)
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  )
})

test('what ships asks for nothing that Knode does not do', () => {
  for (const { metadata, data } of configMapDefaults)
    assert.deepEqual(configWarnings(metadata, data), [], metadata.name)
})

test('what is told fits into a header, where every other character would become a question mark', () => {
  for (const { name, key } of declared.filter(({ isIdle }) => isIdle)) {
    const [namespace] = Object.entries(knativeConfigKeys).find(([, configMaps]) => configMaps[name] !== undefined)!
    for (const { details = '' } of configWarnings({ namespace, name }, { [key.replace('*', 'x')]: 'something else' })) {
      assert.match(details, /^[\x20-\x7e]+$/)
    }
  }
})

test('docs/config-maps.md tells of every key', async () => {
  const text = await readFile(join(root, 'docs', 'config-maps.md'), 'utf8')
  for (const { name, key } of declared) {
    assert.ok(text.includes(`\`${name}\``), name)
    if (key !== '*') assert.ok(text.includes(`\`${key}\``), `${name}: ${key}`)
  }
})
