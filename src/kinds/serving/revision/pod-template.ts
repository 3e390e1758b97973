// The Pods of a Revision. Source: knative/serving pkg/reconciler/revision/resources/deploy.go, env_var.go.
import type { Container as PodContainer } from '../../../model/kubernetes/pod/container-schema.ts'
import type { PodSpec, PodTemplate } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Container, Probe } from '../../../model/serving/container-schema.ts'
import { configurationLabel, serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { featureFlag } from '../../../model/serving/serving-config.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import { childLabels, workloadAnnotations } from './child-metadata.ts'
import type { ContainerStatus, Revision } from './schema.ts'
import { isServing, servingContainer, servingPort, servingProtocol } from './serving-container.ts'

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container'
/** What upstream calls the port; one behind which HTTP/2 is spoken keeps its name, which tells probes so. */
const userPortName = 'user-port'
const periodSecondsDefault = 10

/** @param features ConfigMap `config-features` */
export function makePodTemplate(revision: Revision, features: ConfigData): PodTemplate {
  const { spec, status } = revision
  const {
    containers = [],
    initContainers = [],
    timeoutSeconds,
    containerConcurrency: _,
    responseStartTimeoutSeconds: __,
    idleTimeoutSeconds: ___,
    ...pod
  } = spec
  const { name: mainName = '' } = servingContainer(spec)
  return {
    metadata: {
      labels: childLabels(revision),
      annotations: {
        ...workloadAnnotations(revision),
        ...(mainName === '' ? {} : { [defaultContainerAnnotation]: mainName }),
      },
    },
    spec: {
      ...(pod as PodSpec),
      containers: containers.map((container) =>
        withDigest(makeContainer(container, revision, features), status?.containerStatuses),
      ),
      ...(initContainers.length === 0
        ? {}
        : { initContainers: initContainers.map((each) => withDigest(each, status?.initContainerStatuses)) }),
      // A request that was taken may run this long.
      ...(timeoutSeconds === undefined ? {} : { terminationGracePeriodSeconds: timeoutSeconds }),
    },
  }
}

/** The image that was looked up once, so that all instances run the same. */
function withDigest(container: Container, statuses: readonly ContainerStatus[] = []): PodContainer {
  const digest = statuses.find(({ name }) => name === container.name)?.imageDigest ?? ''
  return (digest === '' ? container : { ...container, image: digest }) as PodContainer
}

function makeContainer(container: Container, { metadata, spec }: Revision, features: ConfigData): Container {
  const { name, labels = {} } = metadata
  const knative = [
    { name: 'K_REVISION', value: name },
    { name: 'K_CONFIGURATION', value: labels[configurationLabel] ?? '' },
    { name: 'K_SERVICE', value: labels[serviceLabel] ?? '' },
  ]
  const { env = [], terminationMessagePolicy = 'FallbackToLogsOnError' } = container
  const made: Container = { ...container, terminationMessagePolicy, env: [...env, ...knative] }
  if (!isServing(container, spec.containers ?? [])) return made
  const port = servingPort(spec)
  return {
    ...made,
    env: [...env, { name: 'PORT', value: String(port) }, ...knative],
    ports: [{ name: servingProtocol(spec) === 'h2c' ? 'h2c' : userPortName, containerPort: port }],
    ...aimedProbes(container, port, featureFlag(features, 'multi-container-probing') === 'enabled'),
  }
}

type Probes = Pick<Container, 'readinessProbe' | 'livenessProbe' | 'startupProbe'>

/**
 * Probes that name no port number mean the port requests go to. A liveness probe always does, unless the flag for
 * probes of several containers is set: so it is upstream, where many manifests give it another number.
 */
function aimedProbes(
  { readinessProbe, livenessProbe, startupProbe }: Container,
  port: number,
  isFree: boolean,
): Probes {
  return {
    ...(readinessProbe === undefined ? {} : { readinessProbe: aimed(readinessProbe, port) }),
    ...(livenessProbe === undefined ? {} : { livenessProbe: paced(aimed(livenessProbe, port, isFree)) }),
    ...(startupProbe === undefined ? {} : { startupProbe: paced(aimed(startupProbe, port)) }),
  }
}

/** Only readiness is probed quickly where no period is given. */
const paced = (probe: Probe): Probe => ({ ...probe, periodSeconds: probe.periodSeconds || periodSecondsDefault })

function aimed(probe: Probe, port: number, isFree = true): Probe {
  const { httpGet, tcpSocket, grpc } = probe
  const portOf = (given: number | string | undefined): number => (isFree && Number(given)) || port
  return {
    ...probe,
    ...(httpGet === undefined ? {} : { httpGet: { ...httpGet, port: portOf(httpGet.port) } }),
    ...(tcpSocket === undefined ? {} : { tcpSocket: { ...tcpSocket, port: portOf(tcpSocket.port) } }),
    ...(grpc === undefined ? {} : { grpc: { ...grpc, port: Number(grpc.port) || port } }),
  }
}
