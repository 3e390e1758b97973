// For tests of routing: Routes, DomainMappings and Ingresses at work on a fake clock, with doors of Revisions that only
// remember who asked.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { seededRandom } from '../../src/base/random.ts'
import { startSmallWorld } from '../../src/engine/control-loop/small-world.ts'
import type { SmallWorld, SmallWorldOptions } from '../../src/engine/control-loop/small-world.ts'
import type { KindDefinition } from '../../src/engine/kind.ts'
import type { CertificateTable, ForwardOptions } from '../../src/engine/reconciler.ts'
import { createCertificateTable } from '../../src/engine/request-path/certificate-table.ts'
import { createEndpointTable } from '../../src/engine/request-path/endpoint-table.ts'
import type { RevisionDoor } from '../../src/engine/serving.ts'
import { clusterDomainClaim } from '../../src/kinds/networking/cluster-domain-claim/kind.ts'
import { certificate } from '../../src/kinds/networking/certificate/kind.ts'
import { certificateKind } from '../../src/kinds/networking/certificate/schema.ts'
import { ingress } from '../../src/kinds/networking/ingress/kind.ts'
import { ingressKind } from '../../src/kinds/networking/ingress/schema.ts'
import { configurationKind } from '../../src/kinds/serving/configuration/schema.ts'
import { domainMapping } from '../../src/kinds/serving/domain-mapping/kind.ts'
import { domainMappingKind } from '../../src/kinds/serving/domain-mapping/schema.ts'
import { revisionKind } from '../../src/kinds/serving/revision/schema.ts'
import { route } from '../../src/kinds/serving/route/kind.ts'
import { routeKind } from '../../src/kinds/serving/route/schema.ts'
import type { Route } from '../../src/kinds/serving/route/schema.ts'
import type { ConditionStatus } from '../../src/model/duck/types.ts'
import type { ObjectMeta, Resource } from '../../src/model/kubernetes/resource.ts'
import type { TrafficTarget } from '../../src/model/serving/traffic.ts'

/** Who took a request, and what a route changed of it; `status` is set when nobody took it. */
export interface Answer extends ForwardOptions {
  by?: string
  status?: number
  location?: string
}

export interface RoutingWorld extends SmallWorld {
  /** Sends a request through the routing table. */
  ask(host: string, path?: string, headers?: Record<string, string>): Answer
  /** How often each Revision takes a request of `times`. */
  shares(host: string, times: number): Record<string, number>
  /** The object as stored. */
  read<Object extends Resource>(kind: string, name: string): Promise<Object>
  /** `status reason: message` of a condition. */
  says(kind: string, name: string, type?: string): Promise<string>
  /** Makes a Revision of a Configuration, and the Configuration say that it is its latest one. */
  roll(configuration: string, revision: string, ready?: ConditionStatus): Promise<void>
  /** What the gateway shows to TLS clients. */
  certificates: CertificateTable
  /** Sets keys of a ConfigMap in knative-serving. */
  configure(name: string, data: Record<string, string>): Promise<void>
}

const plain = (group: string, kind: string, version: string, builtIn = false): KindDefinition => ({
  group,
  kind,
  plural: `${kind.toLowerCase()}s`,
  builtIn,
  versions: [{ name: version, schema: {}, columns: [] }],
})

const configuration = plain('serving.knative.dev', 'Configuration', 'v1')
const revision = plain('serving.knative.dev', 'Revision', 'v1')
const service = plain('', 'Service', 'v1', true)
const ids: Readonly<Record<string, string>> = {
  Route: routeKind,
  Configuration: configurationKind,
  Revision: revisionKind,
  DomainMapping: domainMappingKind,
  Ingress: ingressKind,
  Certificate: certificateKind,
}

export async function startRoutingWorld(
  options: Pick<SmallWorldOptions, 'stored' | 'store' | 'clock'> = {},
): Promise<RoutingWorld> {
  const endpoints = createEndpointTable()
  const certificates = createCertificateTable()
  const revisions = {
    open: () => {
      throw new Error('nobody opens doors here')
    },
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    find: (namespace: string, name: string) => (name.includes('-0') ? aDoor(`${namespace}/${name}`) : undefined),
  }
  const random = seededRandom(7)
  const wired = (kind: KindDefinition): KindDefinition => ({
    ...kind,
    reconciler: (deps) => kind.reconciler!({ ...deps, endpoints, certificates, revisions, random }),
  })
  const world = await startSmallWorld({
    kinds: [
      wired(route),
      wired(domainMapping),
      wired(ingress),
      { ...clusterDomainClaim },
      certificate,
      configuration,
      revision,
      service,
      plain('', 'ConfigMap', 'v1', true),
      plain('', 'Secret', 'v1', true),
    ],
    ...options,
  })
  const ask: RoutingWorld['ask'] = (host, path = '/', headers = {}) => {
    const endpoint = endpoints.find(host, path.split('?')[0]!)
    if (endpoint?.kind !== 'http') return { status: 404 }
    const answer: Answer = {}
    const request = { url: path, headers: { host, ...headers }, socket: {}, resume: () => undefined }
    const response = {
      writeHead(status: number, given: Record<string, string>) {
        Object.assign(answer, { status, ...(given['location'] !== undefined && { location: given['location'] }) })
        return response
      },
      end: () => undefined,
      take: (by: Answer) => void Object.assign(answer, by),
    }
    endpoint.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    return answer
  }
  const read: RoutingWorld['read'] = async <Object extends Resource>(kind: string, name: string) =>
    (await world.client.get<Object>(ids[kind] ?? kind, 'shop', name))!
  return Object.assign(world, {
    ask,
    read,
    certificates,
    shares(host: string, times: number) {
      const counts: Record<string, number> = {}
      for (let count = 0; count < times; count++) {
        const { by = 'nobody' } = ask(host)
        counts[by] = (counts[by] ?? 0) + 1
      }
      return counts
    },
    async says(kind: string, name: string, type = 'Ready') {
      const { status } = await read<Resource & { status?: { conditions?: Record<string, string>[] } }>(kind, name)
      const found = status?.conditions?.find((condition) => condition['type'] === type)
      const { status: value = 'none', reason, message } = found ?? {}
      return [value, reason, message === undefined ? undefined : `: ${message}`]
        .filter((part) => part !== undefined)
        .join(' ')
        .replace(' : ', ': ')
    },
    async roll(ofConfiguration: string, name: string, ready: ConditionStatus = 'True') {
      const kind = configurationKind
      const existing = await world.client.get(kind, 'shop', ofConfiguration)
      const owner = existing ?? (await world.client.create(aConfiguration(ofConfiguration)))
      await world.client.create(aRevision(name, ofConfiguration, ready))
      const latest = { latestCreatedRevisionName: name, ...(ready === 'True' && { latestReadyRevisionName: name }) }
      const { resourceVersion: _, ...metadata } = owner.metadata
      await world.client.updateStatus({ ...owner, metadata, status: { ...owner.status, ...latest } })
      await world.settled()
    },
    async configure(name: string, data: Record<string, string>) {
      const existing = await world.client.get('ConfigMap', 'knative-serving', name)
      if (existing === undefined) {
        const metadata = { name, namespace: 'knative-serving' }
        await world.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as Resource)
      } else await world.client.patch('ConfigMap', 'knative-serving', name, { data })
      await world.settled()
    },
  })
}

function aDoor(name: string): RevisionDoor {
  const handle = (_: IncomingMessage, response: ServerResponse, options: ForwardOptions = {}): void =>
    (response as unknown as { take(by: Answer): void }).take({ by: name.split('/')[1]!, ...options })
  return { kind: 'http', handle } as unknown as RevisionDoor
}

export function aRoute(name: string, traffic: TrafficTarget[], metadata: Partial<ObjectMeta> = {}): Route {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Route',
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { traffic },
  }
}

function aRevision(name: string, ofConfiguration: string, ready: ConditionStatus = 'True'): Resource {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name,
      namespace: 'shop',
      generation: 1,
      labels: { 'serving.knative.dev/configuration': ofConfiguration },
      ownerReferences: [
        {
          apiVersion: 'serving.knative.dev/v1',
          kind: 'Configuration',
          name: ofConfiguration,
          uid: `uid-of-${ofConfiguration}`,
          controller: true,
        },
      ],
    },
    spec: { containers: [{ image: 'hello' }] },
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: ready }] },
  }
}

function aConfiguration(name: string, status: object = {}): Resource {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Configuration',
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
    spec: {},
    status,
  }
}
