// What a Revision's template gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/revision_defaults.go.
import { childName } from '../kubernetes/child-name.ts'
import { executeTemplate } from '../kubernetes/go-template.ts'
import type { ObjectMeta } from '../kubernetes/resource.ts'
import type { Container, Probe } from './container-schema.ts'
import type { RevisionSpec, RevisionTemplate } from './revision-template.ts'
import { setSecurityDefaults } from './security.ts'
import { revisionDefaults } from './serving-config.ts'
import type { ConfigData, RevisionDefaults, ServingConfig } from './serving-config.ts'

export interface DefaultsContext {
  config: ServingConfig
  operation: 'create' | 'update'
  /** Of the Service or Configuration that has the template. */
  parent?: Pick<ObjectMeta, 'name' | 'namespace' | 'labels' | 'annotations'>
}

/** Fills the template in place; one that kept the name its user gave it must stay exactly as it was. */
export function setNewTemplateDefaults(
  template: RevisionTemplate = {},
  before: RevisionTemplate | undefined,
  context: DefaultsContext,
): RevisionTemplate {
  // Typed clients send null, others nothing: one and the same template.
  delete template.metadata?.creationTimestamp
  const name = template.metadata?.name ?? ''
  if (name !== '' && name === before?.metadata?.name) return template
  template.spec ??= {}
  setRevisionDefaults(template.spec, context)
  return template
}

/** Fills the spec in place. */
export function setRevisionDefaults(spec: RevisionSpec, { config, operation, parent }: DefaultsContext): void {
  const defaults = revisionDefaults(config.defaults)
  setTimeouts(spec, defaults)
  spec.containerConcurrency ??= defaults.containerConcurrency
  const { containers = [], initContainers = [] } = spec
  const names = new Set([...containers, ...initContainers].map(({ name = '' }) => name))
  nameContainers(containers, names, nameFrom(defaults.containerName, parent))
  nameContainers(initContainers, names, nameFrom(defaults.initContainerName, parent))
  for (const container of containers) {
    setResources(container, config.defaults)
    setContainerDefaults(container, spec, containers.length === 1)
  }
  for (const container of [...containers, ...initContainers]) setSecurityDefaults(container, spec, config.features)
  if (containers.length > 0 && operation === 'create' && defaults.enableServiceLinks !== undefined) {
    spec.enableServiceLinks ??= defaults.enableServiceLinks
  }
}

/** A timeout that ships with Serving applies only where it is shorter than the total. */
function setTimeouts(spec: RevisionSpec, defaults: RevisionDefaults): void {
  const totalSeconds = spec.timeoutSeconds || defaults.timeoutSeconds
  spec.timeoutSeconds = totalSeconds
  const applies = (seconds: number): boolean => seconds !== 0 && seconds < totalSeconds
  if (applies(defaults.idleTimeoutSeconds)) spec.idleTimeoutSeconds ??= defaults.idleTimeoutSeconds
  if (applies(defaults.responseStartTimeoutSeconds)) {
    spec.responseStartTimeoutSeconds ??= defaults.responseStartTimeoutSeconds
  }
}

/** Nothing where the template does not work: then the name that is missing is complained of. */
function nameFrom(template: string, parent: DefaultsContext['parent']): string {
  const { name = '', namespace = '', labels = {}, annotations = {} } = parent ?? {}
  try {
    const data = { Name: name, Namespace: namespace, Labels: labels, Annotations: annotations }
    return executeTemplate('container-template', template, data)
  } catch {
    return ''
  }
}

/** Several containers are numbered, past the names that users gave. */
function nameContainers(containers: Container[], taken: ReadonlySet<string>, name: string): void {
  let suffix = 0
  for (const container of containers) {
    if ((container.name ?? '') !== '') continue
    container.name = name
    if (containers.length === 1 && !taken.has(name)) continue
    do container.name = childName(name, `-${suffix++}`)
    while (taken.has(container.name))
  }
}

const resourceNames = ['cpu', 'memory', 'ephemeral-storage']

/** Requests and limits of `config-defaults`, where the user gives none. */
function setResources(container: Container, defaults: ConfigData): void {
  const resources = (container.resources ??= {})
  for (const [field, bound] of [
    ['requests', 'request'],
    ['limits', 'limit'],
  ] as const) {
    for (const name of resourceNames) {
      const quantity = defaults[`revision-${name}-${bound}`] ?? ''
      if (quantity === '' || resources[field]?.[name] !== undefined) continue
      resources[field] = { ...resources[field], [name]: quantity }
    }
  }
}

function setContainerDefaults(container: Container, spec: RevisionSpec, isOnly: boolean): void {
  const takesRequests = isOnly || (container.ports ?? []).length > 0
  if (takesRequests) container.readinessProbe ??= {}
  const { readinessProbe, livenessProbe, startupProbe } = container
  if (readinessProbe !== undefined) setReadinessDefaults(readinessProbe, takesRequests)
  for (const probe of [readinessProbe, livenessProbe, startupProbe]) {
    if (probe?.grpc !== undefined) probe.grpc.service ??= ''
  }
  const writable = new Set(
    (spec.volumes ?? [])
      .filter(({ emptyDir, persistentVolumeClaim, ephemeral }) => emptyDir ?? persistentVolumeClaim ?? ephemeral)
      .map(({ name }) => name),
  )
  for (const mount of container.volumeMounts ?? []) if (!writable.has(mount.name)) mount.readOnly = true
}

function setReadinessDefaults(probe: Probe, takesRequests: boolean): void {
  if (takesRequests && (probe.httpGet ?? probe.tcpSocket ?? probe.exec ?? probe.grpc) === undefined) {
    probe.tcpSocket = { port: 0 }
  }
  probe.successThreshold ||= 1
  // Without a period it is Knative's own quick probe, which knows neither of these.
  if ((probe.periodSeconds ?? 0) === 0) return
  probe.failureThreshold ||= 3
  probe.timeoutSeconds ||= 1
}
