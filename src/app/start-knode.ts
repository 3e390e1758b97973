// Composes everything, once: store → transport → runtime → caches → gateway → controllers → API.
import { tmpdir } from 'node:os'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { createLogger } from '../base/log.ts'
import type { Logger } from '../base/log.ts'
import { messageOf } from '../base/errors.ts'
import { createMetrics } from '../base/metrics.ts'
import { systemRandom } from '../base/random.ts'
import type { Random } from '../base/random.ts'
import { createKindRegistry } from '../engine/api-server/kind-registry.ts'
import { createOperations } from '../engine/api-server/object-operations.ts'
import { createResourceClient } from '../engine/api-server/resource-client.ts'
import { startApiServer } from '../engine/api-server/http/api-front.ts'
import { createAutoscaler } from '../engine/autoscaling/autoscaler.ts'
import { openCaches } from '../engine/control-loop/caches.ts'
import { EventRecorder } from '../engine/control-loop/events.ts'
import { startControllers } from '../engine/control-loop/start-controllers.ts'
import { createDeliveryEngine } from '../engine/delivery/engine.ts'
import { createFlowFeed } from '../engine/flow.ts'
import type { ConfigReader, KindDefinition } from '../engine/kind.ts'
import { createPodTable } from '../engine/pod-table.ts'
import { closedEndpoint } from '../engine/reconciler.ts'
import type { ResourceClient } from '../engine/reconciler.ts'
import { createCertificateTable } from '../engine/request-path/certificate-table.ts'
import { createEndpointTable } from '../engine/request-path/endpoint-table.ts'
import { startGateway } from '../engine/request-path/http-front.ts'
import { createRevisionDoors } from '../engine/request-path/revision-doors.ts'
import { startTelemetry } from '../engine/telemetry/telemetry.ts'
import { storeDefinitions } from '../kinds/apiextensions/custom-resource-definition/definitions.ts'
import { kinds as allKinds } from '../kinds/registry.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { openEventTransport } from '../ports/event-transport/open.ts'
import { openResourceStore } from '../ports/resource-store/open.ts'
import { openWorkloadRuntime } from '../ports/workload-runtime/open.ts'
import { keepAuthorityFile } from './authority-file.ts'
import { bootstrap } from './bootstrap.ts'
import type { Config } from './config-schema.ts'
import { parseConfig } from './config.ts'
import { openDataDir } from './data-dir.ts'
import { readOrMakeCredentials, writeKubeconfig } from './credentials.ts'
import { deliveryEvents } from './delivery-events.ts'
import { knodeRoutes } from './routes.ts'
import { withStreamDefaults } from './stream-defaults.ts'
import { knodeVersion } from './version.ts'

/** How long a write to the event log waits for the events that are about to come, at most, in milliseconds. */
const gatherMsMax = 1

export interface KnodeOptions extends Partial<Config> {
  /** @default the machine's clock */
  clock?: Clock
  /** @default the machine's randomness */
  random?: Random
  /** @default lines on standard error, as `logFormat` and `logLevel` say */
  log?: Logger
  /** Takes the lines that ConfigMap `config-observability` asks for. @default standard error */
  writeRequestLog?: (line: string) => void
  /** @default every kind of Knode */
  kinds?: readonly KindDefinition[]
}

/** A running Knode. Disposing it refuses new work, finishes what was taken, and closes. */
export interface RunningKnode extends AsyncDisposable {
  apiUrl: string
  gatewayUrl: string
  kubeconfigPath: string
  /** Reads and writes objects as the API does. */
  client: ResourceClient
  /** Resolves when no object waits to be reconciled and the caches show all writes. */
  settled(): Promise<void>
}

/**
 * Starts Knode in this process and resolves when everything is up.
 * @throws {KnodeError} BAD_CONFIG, DATA_DIR_IN_USE, DATA_DIR_NOT_WRITABLE, ADDRESS_IN_USE
 */
export async function startKnode(options: KnodeOptions = {}): Promise<RunningKnode> {
  const {
    clock = systemClock,
    random = systemRandom,
    kinds = allKinds,
    log: givenLog,
    writeRequestLog = toStandardError,
    ...settings
  } = options
  const config: Config = Object.freeze({ ...parseConfig(), ...settings })
  const log = givenLog ?? loggerFor(config)
  const metrics = createMetrics({
    onUnreadable: (gauge, thrown) => log.error('a metric cannot be read', { gauge, reason: messageOf(thrown) }),
  })
  const flow = createFlowFeed()

  await using starting = new AsyncDisposableStack()
  const directory = await openDirectory(config, options, starting)
  const store = starting.use(
    await openResourceStore(
      config.memory ? { driver: 'memory' } : { driver: 'embedded', directory: join(directory, 'resources'), log },
    ),
  )
  const opened = config.memory
    ? await openEventTransport({ driver: 'memory', clock, log })
    : await openEventTransport({
        driver: 'log',
        directory: join(directory, 'events'),
        durability: config.durability,
        // A clock that somebody moves by hand must not hold up a write.
        gatherMsMax: clock === systemClock ? gatherMsMax : 0,
        clock,
        log,
      })
  const transport = withStreamDefaults(starting.use(opened), config)
  let gatewayPort: number | undefined
  const runtime = starting.use(
    await openWorkloadRuntime({ dataDir: directory, gatewayPort: () => gatewayPort, clock, random, log }),
  )
  const caches = starting.use(await openCaches({ store, kinds, clock, log }))
  const configReader: ConfigReader = {
    data: (namespace, name) =>
      caches.get<Resource & { data?: Record<string, string> }>('ConfigMap', namespace, name)?.data ?? {},
  }
  const registry = createKindRegistry(kinds)
  const operations = createOperations({ store, registry, config: configReader, clock, random, log })
  const client = createResourceClient({ operations, registry, log })

  const pods = createPodTable({ clock })
  const { tracing } = starting.use(
    await startTelemetry({
      config: configReader,
      onChange: (listener) => caches.onChange(listener),
      metrics,
      clock,
      random,
      log,
      environment: process.env,
      version: knodeVersion,
    }),
  )
  const revisions = createRevisionDoors({ pods, clock, random, log, metrics, tracing, writeRequestLog })
  const autoscaler = starting.use(createAutoscaler({ caches, client, clock, log, metrics, pods, revisions }))
  const endpoints = createEndpointTable()
  const certificates = createCertificateTable()
  const notYet = endpoints.add({ find: () => closedEndpoint('Knode is starting') })
  const { eventBytesMax, graceMs, host } = config
  const gateway = starting.use(
    await startGateway({
      host,
      port: config.gatewayPort,
      endpoints,
      certificates,
      clock,
      log,
      metrics,
      limits: { eventBytesMax, drainMs: graceMs },
    }),
  )
  gatewayPort = Number(new URL(gateway.url).port)
  const credentials = await readOrMakeCredentials(directory, clock.now())
  const addresses = { gatewayUrl: gateway.url, apiUrl: '', serviceDomain: serviceDomain(gateway.url) }
  const recorder = starting.use(new EventRecorder({ client, clock, log }))
  const told = deliveryEvents(caches, recorder)
  const delivery = starting.use(
    createDeliveryEngine({ transport, endpoints, addresses, clock, log, metrics, tracing, flow, ...told }),
  )
  const routes = knodeRoutes({ caches, transport, runtime, delivery, autoscaler, flow, metrics, clock, random })
  await bootstrap(client)
  await storeDefinitions(client, kinds, clock.now())
  await caches.caughtUp()
  const api = await startApiServer({
    port: config.apiPort,
    operations,
    registry,
    clock,
    random,
    log,
    token: credentials.token,
    tls: credentials.tls,
    extraRoutes: routes,
    version: knodeVersion,
    drainMs: graceMs,
  })
  starting.use(api)
  addresses.apiUrl = api.url
  const controllers = starting.use(
    await startControllers({
      kinds,
      caches,
      drainMs: graceMs,
      deps: {
        client,
        config: configReader,
        transport,
        delivery,
        runtime,
        endpoints,
        certificates,
        pods,
        podDirectory: join(directory, 'pods'),
        revisions,
        autoscaler,
        addresses,
        clock,
        random,
        log,
        metrics,
        flow,
      },
    }),
  )
  starting.use(keepAuthorityFile({ caches, directory, log }))
  // Doors close before anything behind them does.
  starting.defer(async () => {
    await Promise.all([gateway[Symbol.asyncDispose](), api[Symbol.asyncDispose]()])
  })
  await controllers.settled()
  notYet[Symbol.dispose]()
  const kubeconfigPath = await writeKubeconfig(directory, api.secureUrl ?? api.url, credentials)
  log.info('knode is up', { api: api.url, gateway: gateway.url, dataDir: directory })

  const running = starting.move()
  return {
    apiUrl: api.url,
    gatewayUrl: gateway.url,
    kubeconfigPath,
    client,
    settled: () => controllers.settled(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** With `memory` and no directory of its own, the kubeconfig goes to a temporary one that leaves with the process. */
async function openDirectory(config: Config, given: KnodeOptions, starting: AsyncDisposableStack): Promise<string> {
  if (config.memory && given.dataDir === undefined) {
    const directory = await mkdtemp(join(tmpdir(), 'knode-'))
    starting.defer(() => rm(directory, { recursive: true, force: true }))
    return directory
  }
  return starting.use(await openDataDir(config.dataDir)).path
}

function loggerFor({ logFormat, logLevel }: Config): Logger {
  const format = logFormat === 'auto' ? (process.stderr.isTTY ? 'pretty' : 'json') : logFormat
  return createLogger({ format, level: logLevel })
}

const toStandardError = (line: string): void => void process.stderr.write(line)

/** Any name below it leads back to this machine, by public DNS. */
function serviceDomain(gatewayUrl: string): string {
  const { port } = new URL(gatewayUrl)
  return `127.0.0.1.sslip.io${port === '' ? '' : `:${port}`}`
}
