// An API server for tests with real clients: a memory store, the core kinds and their controllers, and what kinds the
// test brings.
import { createCertificate } from '../../src/base/certificate.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { systemRandom } from '../../src/base/random.ts'
import { startApiServer } from '../../src/engine/api-server/http/api-front.ts'
import { kubeconfigText } from '../../src/engine/api-server/http/kubeconfig.ts'
import { createKindRegistry } from '../../src/engine/api-server/kind-registry.ts'
import type { KindRegistry } from '../../src/engine/api-server/kind-registry.ts'
import { createOperations } from '../../src/engine/api-server/object-operations.ts'
import { createResourceClient } from '../../src/engine/api-server/resource-client.ts'
import { openCaches } from '../../src/engine/control-loop/caches.ts'
import { startControllers } from '../../src/engine/control-loop/start-controllers.ts'
import { createFlowFeed } from '../../src/engine/flow.ts'
import type { KindDefinition } from '../../src/engine/kind.ts'
import { createPodTable } from '../../src/engine/pod-table.ts'
import type { KindDeps, ResourceClient } from '../../src/engine/reconciler.ts'
import { createCertificateTable } from '../../src/engine/request-path/certificate-table.ts'
import { createEndpointTable } from '../../src/engine/request-path/endpoint-table.ts'
import { createRevisionDoors } from '../../src/engine/request-path/revision-doors.ts'
import { customResourceDefinition } from '../../src/kinds/apiextensions/custom-resource-definition/kind.ts'
import { storeDefinitions } from '../../src/kinds/apiextensions/custom-resource-definition/definitions.ts'
import { configMap } from '../../src/kinds/core/config-map/kind.ts'
import { event } from '../../src/kinds/core/event/kind.ts'
import { namespace } from '../../src/kinds/core/namespace/kind.ts'
import { secret } from '../../src/kinds/core/secret/kind.ts'
import { serviceAccount } from '../../src/kinds/core/service-account/kind.ts'
import { service } from '../../src/kinds/core/service/kind.ts'
import { openResourceStore } from '../../src/ports/resource-store/open.ts'
import type { ResourceStore } from '../../src/ports/resource-store/port.ts'

export interface TestApiServer extends AsyncDisposable {
  url: string
  token: string
  kubeconfig: string
  client: ResourceClient
  registry: KindRegistry
  store: ResourceStore
}

/** Serves on a free port; the namespace `default` exists. */
export async function startTestApiServer(kinds: readonly KindDefinition[] = []): Promise<TestApiServer> {
  await using starting = new AsyncDisposableStack()
  const core = [namespace, configMap, secret, serviceAccount, event, service, customResourceDefinition]
  const registry = createKindRegistry([...core, ...kinds])
  const store = starting.use(await openResourceStore({ driver: 'memory' }))
  const config = { data: () => ({}) }
  const environment = { clock: systemClock, random: systemRandom, log: silentLogger }
  const operations = createOperations({ store, registry, config, ...environment })
  const client = createResourceClient({ operations, registry })
  const caches = starting.use(await openCaches({ store, kinds: registry.all(), ...environment }))
  const pods = createPodTable(environment)
  const metrics = createMetrics()
  const revisions = createRevisionDoors({ pods, metrics, writeRequestLog: () => undefined, ...environment })
  // The core kinds send no events and start no programs.
  const absent = {} as Pick<KindDeps, 'transport' | 'delivery' | 'runtime' | 'autoscaler'>
  const addresses = { gatewayUrl: '', apiUrl: '', serviceDomain: '' }
  const deps = {
    client,
    config,
    addresses,
    ...environment,
    ...absent,
    endpoints: createEndpointTable(),
    certificates: createCertificateTable(),
    pods,
    revisions,
    podDirectory: '',
    metrics,
    flow: createFlowFeed(),
  }
  starting.use(await startControllers({ kinds: registry.all(), caches, deps }))
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  await storeDefinitions(client, registry.all(), systemClock.now())
  const token = 'test-token'
  const tls = createCertificate({ commonName: 'knode', hosts: ['127.0.0.1'], nowMs: systemClock.now() })
  const { url, secureUrl = '' } = starting.use(
    await startApiServer({ port: 0, tls, operations, registry, token, version: '0.0.0-test', ...environment }),
  )
  const kubeconfig = kubeconfigText({ server: secureUrl, certificate: tls.cert, token })
  const running = starting.move()
  return { url, token, kubeconfig, client, registry, store, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
