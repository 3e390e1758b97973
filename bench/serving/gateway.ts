// Knode's gateway with one Revision's door and one Pod, without what starts programs. Prints `ready URL`.
// Usage: gateway.ts PROGRAM_URL HOST
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/log.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createPodTable } from '../../src/engine/pod-table.ts'
import { createCertificateTable } from '../../src/engine/request-path/certificate-table.ts'
import { createEndpointTable } from '../../src/engine/request-path/endpoint-table.ts'
import { startGateway } from '../../src/engine/request-path/http-front.ts'
import { createRevisionDoors } from '../../src/engine/request-path/revision-doors.ts'

const [url = '', host = ''] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const deps = {
  clock: systemClock,
  random: systemRandom,
  log: createLogger({ level: 'warn' }),
  metrics: createMetrics(),
}
const selector = { 'serving.knative.dev/revisionUID': '1' }
const containerPort = 8080
const pods = createPodTable(deps)
const door = createRevisionDoors({ pods, writeRequestLog: () => undefined, ...deps }).open({
  namespace: 'default',
  name: 'hello-00001',
  uid: '1',
  selector,
  containerPort,
  protocol: 'http1',
  containerConcurrency: 0,
  // As the defaults of config-defaults have it.
  timeouts: { totalMs: 300_000, responseStartMs: 300_000 },
})
pods.register({
  namespace: 'default',
  name: 'hello-00001-deployment-1',
  uid: '1',
  labels: selector,
  host: hostname,
  ports: new Map([[containerPort, Number(port)]]),
  portNames: new Map(),
  isReady: true,
})
const endpoints = createEndpointTable()
endpoints.add({ find: (asked) => (asked === host ? door : undefined) })
const certificates = createCertificateTable()
const gateway = await startGateway({ host: '127.0.0.1', port: 0, endpoints, certificates, ...deps })
console.log(`ready ${gateway.url}/`)
process.stdin.on('data', () => undefined)
process.stdin.on('end', () => process.exit(0))
