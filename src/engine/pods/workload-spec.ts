// What the runtime is asked to run for one container of a Pod.
import { KnodeError } from '../../base/errors.ts'
import type { Container, VolumeMount } from '../../model/kubernetes/pod/container-schema.ts'
import { podAnnotations } from '../../model/kubernetes/pod/pod.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../model/kubernetes/pod/pod-spec-schema.ts'
import { parseQuantity } from '../../model/kubernetes/quantity.ts'
import { controllerOf } from '../../model/kubernetes/resource.ts'
import type {
  ImageCredentials,
  Workload,
  WorkloadMount,
  WorkloadResources,
  WorkloadSpec,
} from '../../ports/workload-runtime/port.ts'
import { expand, makeEnvironment } from './environment.ts'
import { dataOf } from './pod-sources.ts'
import type { FindSource } from './pod-sources.ts'
import { checkSubPath } from './sub-path.ts'

export interface WorkloadContext {
  pod: Pod
  find: FindSource
  /** Where a volume is on this machine. */
  volumePath: (volume: string) => string
  restartCount: number
  /** Whose network it shares. */
  networkOf?: Workload
}

const serviceLabel = 'serving.knative.dev/service'

/** The container that takes requests: the first with a port, else the first. */
export const servingContainer = ({ containers = [] }: PodSpec): Container =>
  containers.find(({ ports = [] }) => ports.length > 0) ?? containers[0] ?? {}

/** The name of a container's instance; its logs are found under it. */
export const workloadName = (pod: string, container: string, restartCount: number): string =>
  `${pod}_${container}_${restartCount}`

/** What a Pod's logs are found under together with those of its siblings: its Knative Service, its Deployment, itself. */
export function logGroup(pod: Pod): string {
  return pod.metadata.labels?.[serviceLabel] ?? controllerOf(pod)?.name ?? pod.metadata.name
}

/** @throws {KnodeError} WORKLOAD_FAILED when something that the container needs is missing or makes no sense */
export function workloadSpec(container: Container, context: WorkloadContext): WorkloadSpec {
  const { pod, find, restartCount, networkOf } = context
  const { metadata, spec } = pod
  const { name = '', image = '', ports = [], imagePullPolicy, securityContext = {} } = container
  const env = makeEnvironment(container, pod, find)
  const [first] = ports
  const program = programOf(container, pod)
  const isProcess = program.processCommand !== undefined || program.functionFile !== undefined
  const workdir = isProcess ? metadata.annotations?.[podAnnotations.workdir] : container.workingDir
  return {
    name: workloadName(metadata.name, name, restartCount),
    namespace: metadata.namespace ?? '',
    group: logGroup(pod),
    image,
    ...program,
    env,
    mounts: (container.volumeMounts ?? []).map((mount) => mountOf(mount, env, context)),
    imageCredentials: credentialsOf(spec, find),
    resources: limitsOf(container),
    user: userOf(container, spec),
    otherPorts: otherPorts(container, spec).filter((port) => port !== first?.containerPort),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy: imagePullPolicy as 'Always' }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(container.command === undefined ? {} : { command: container.command.map((word) => expand(word, env)) }),
    ...(container.args === undefined ? {} : { args: container.args.map((word) => expand(word, env)) }),
    ...(first?.containerPort === undefined ? {} : { containerPort: first.containerPort }),
    ...(networkOf === undefined ? {} : { network: { of: networkOf } }),
    ...(securityContext.readOnlyRootFilesystem === true ? { readOnlyRootFilesystem: true } : {}),
    ...(securityContext.capabilities === undefined ? {} : { capabilities: securityContext.capabilities }),
    ...(spec.hostAliases === undefined
      ? {}
      : { hostAliases: spec.hostAliases.map(({ ip = '', hostnames = [] }) => ({ ip, hostnames })) }),
  }
}

/** How the container runs without its image, by the Pod's annotations. */
function programOf(
  { name }: Container,
  { metadata, spec }: Pod,
): Pick<WorkloadSpec, 'processCommand' | 'functionFile'> {
  const { annotations = {} } = metadata
  const own = annotations[`${podAnnotations.command}.${name}`]
  if (own !== undefined) return { processCommand: own }
  if (name !== servingContainer(spec).name) return {}
  const { [podAnnotations.command]: processCommand, [podAnnotations.functionFile]: functionFile } = annotations
  return {
    ...(processCommand === undefined ? {} : { processCommand }),
    ...(functionFile === undefined ? {} : { functionFile }),
  }
}

/** Its further ports, and those of the containers that share its network: only its owner can open them. */
function otherPorts(container: Container, spec: PodSpec): number[] {
  const isOwner = container.name === servingContainer(spec).name
  const all = (isOwner ? (spec.containers ?? []) : [container]).flatMap((each) => [
    ...(each.ports ?? []).map(({ containerPort }) => containerPort),
    ...probePorts(each),
  ])
  return [...new Set(all)].filter((port) => port !== undefined)
}

function probePorts({ readinessProbe, livenessProbe, startupProbe }: Container): (number | undefined)[] {
  return [readinessProbe, livenessProbe, startupProbe].flatMap((probe) =>
    [probe?.httpGet?.port, probe?.tcpSocket?.port, probe?.grpc?.port].map((port) =>
      typeof port === 'number' && port > 0 ? port : undefined,
    ),
  )
}

function mountOf(
  { name = '', mountPath = '', readOnly = false, subPath, subPathExpr }: VolumeMount,
  env: Readonly<Record<string, string>>,
  { pod, volumePath }: WorkloadContext,
): WorkloadMount {
  const volume = pod.spec.volumes?.find((other) => other.name === name)
  const path = subPathExpr === undefined ? subPath : expand(subPathExpr, env)
  checkSubPath(path ?? '')
  const isWritable = volume?.emptyDir !== undefined || volume?.hostPath !== undefined
  return {
    hostPath: volume?.hostPath?.path ?? volumePath(name),
    mountPath,
    readOnly: readOnly || !isWritable,
    ...(path === undefined || path === '' ? {} : { subPath: path }),
  }
}

function limitsOf({ resources = {} }: Container): WorkloadResources {
  const { cpu, memory } = resources.limits ?? {}
  const cpus = cpu === undefined ? undefined : parseQuantity(cpu)
  const memoryBytes = memory === undefined ? undefined : parseQuantity(memory)
  return {
    ...(cpus === undefined ? {} : { cpuMillis: Math.ceil(cpus * 1_000) }),
    ...(memoryBytes === undefined ? {} : { memoryBytes: Math.ceil(memoryBytes) }),
  }
}

function userOf(
  { securityContext: own = {} }: Container,
  { securityContext: pods = {} }: PodSpec,
): { uid?: number; gid?: number } {
  const uid = own.runAsUser ?? pods.runAsUser
  const gid = own.runAsGroup ?? pods.runAsGroup
  if ((own.runAsNonRoot ?? pods.runAsNonRoot) === true && uid === 0) {
    throw new KnodeError('WORKLOAD_FAILED', "container's runAsUser breaks non-root policy")
  }
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
}

/** Secrets of type kubernetes.io/dockerconfigjson; those that are missing or make no sense are passed over, as upstream. */
export function credentialsOf(
  { imagePullSecrets = [] }: Pick<PodSpec, 'imagePullSecrets'>,
  find: FindSource,
): ImageCredentials[] {
  return imagePullSecrets.flatMap(({ name = '' }) => {
    const text = dataOf('Secret', find('Secret', name))?.get('.dockerconfigjson')
    if (text === undefined) return []
    try {
      const { auths = {} } = JSON.parse(text.toString()) as { auths?: Record<string, RegistryEntry> }
      return Object.entries(auths).map(([registry, entry]) => ({ registry, ...loginOf(entry) }))
    } catch {
      return []
    }
  })
}

interface RegistryEntry {
  username?: string
  password?: string
  /** `username:password` in base64. */
  auth?: string
}

function loginOf({ username, password, auth = '' }: RegistryEntry): { username: string; password: string } {
  const [, name = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? []
  return { username: username ?? name, password: password ?? secret }
}
