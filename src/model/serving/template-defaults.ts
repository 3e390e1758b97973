// What a Revision's template gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/revision_defaults.go.
import { childName } from '../kubernetes/child-name.ts'
import type { Container, Probe } from './container-schema.ts'
import type { RevisionSpec, RevisionTemplate } from './revision-template.ts'
import { revisionDefaults } from './serving-config.ts'
import type { RevisionDefaults, ServingConfig } from './serving-config.ts'

/** Fills the template in place. */
export function setTemplateDefaults(
  template: RevisionTemplate,
  config: ServingConfig,
  operation: 'create' | 'update',
): void {
  template.spec ??= {}
  const { spec } = template
  const defaults = revisionDefaults(config.defaults)
  setTimeouts(spec, defaults)
  spec.containerConcurrency ??= defaults.containerConcurrency
  const { containers = [], initContainers = [] } = spec
  const names = new Set([...containers, ...initContainers].map(({ name = '' }) => name))
  nameContainers(containers, names, defaults.containerName)
  nameContainers(initContainers, names, defaults.initContainerName)
  for (const container of containers) setContainerDefaults(container, spec, containers.length === 1)
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

function setContainerDefaults(container: Container, spec: RevisionSpec, isOnly: boolean): void {
  container.resources ??= {}
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
