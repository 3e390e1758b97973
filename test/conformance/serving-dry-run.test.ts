// `kubectl apply --dry-run=server` tells of templates whose Pods would be refused. Source: knative/serving
// test/e2e/service_validation_test.go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createKindRegistry } from '../../src/engine/api-server/kind-registry.ts'
import { createOperations } from '../../src/engine/api-server/object-operations.ts'
import { pod } from '../../src/kinds/core/pod/kind.ts'
import { configuration } from '../../src/kinds/serving/configuration/kind.ts'
import { servingService } from '../../src/kinds/serving/service/kind.ts'
import { openResourceStore } from '../../src/ports/resource-store/open.ts'

type Try = (container: object, labels?: Record<string, string>, more?: object) => Promise<unknown>

/** Tries out a Service or Configuration with that container, unless it is to be real. */
async function trying(kind: 'services' | 'configurations', { dryRun = true } = {}): Promise<Try> {
  const store = await openResourceStore({ driver: 'memory' })
  const registry = createKindRegistry([servingService, configuration, pod])
  const settings = { clock: new FakeClock(), random: seededRandom(1), log: silentLogger }
  const config = { data: () => ({}) }
  const operations = createOperations({ store, registry, config, ...settings })
  const target = registry.byPlural('serving.knative.dev', 'v1', kind)!
  return (container, labels = {}, more = {}) =>
    operations.create(
      target,
      'default',
      {
        apiVersion: 'serving.knative.dev/v1',
        kind: target.kind.kind,
        metadata: { name: 'pizza', labels },
        spec: { template: { spec: { containers: [{ image: 'example.com/pizza', ...container }], ...more } } },
      },
      { user: { username: 'me' }, dryRun },
    )
}

const refusal = {
  code: 400,
  message:
    'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation callback failed: ' +
    'dry run failed with Pod "dry-run-validation" is invalid: spec.containers[0].name: Invalid value: "&InvalidValue": ' +
    'must be a lower case DNS label of at most 63 characters: spec.template',
}

for (const kind of ['services', 'configurations'] as const) {
  test(`a dry run of ${kind} is refused for a Pod that would be`, async () => {
    await assert.rejects((await trying(kind))({ name: '&InvalidValue' }), refusal)
  })

  test(`a dry run of ${kind} passes with all that Pods of Revisions may leave out or have`, async () => {
    const attempt = await trying(kind)
    await attempt({})
    await attempt({
      ports: [{ name: 'h2c' }],
      env: [{ name: 'A', value: 'b' }],
      readinessProbe: { httpGet: { path: '/' } },
    })
    await attempt({
      readinessProbe: { grpc: {} },
      livenessProbe: { tcpSocket: {} },
      startupProbe: { exec: { command: ['a'] } },
    })
    const volumeMounts = [{ name: 'files', mountPath: '/files', readOnly: true }]
    const volumes = [{ name: 'files', projected: { sources: [{ configMap: { name: 'texts' } }] } }]
    const limits = { cpu: '1', memory: '64Mi' }
    await attempt(
      { volumeMounts, resources: { limits }, securityContext: { runAsNonRoot: true } },
      {},
      {
        volumes,
        timeoutSeconds: 30,
        containerConcurrency: 1,
        serviceAccountName: 'cook',
        imagePullSecrets: [{ name: 'key' }],
      },
    )
  })
}

test('without a dry run the same Service is taken, and its Revision tells', async () => {
  await (
    await trying('services', { dryRun: false })
  )({ name: '&InvalidValue' })
})
