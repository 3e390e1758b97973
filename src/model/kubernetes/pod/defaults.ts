// Defaults of a Pod's spec, the same in a Pod and in a template. Source: kubernetes/kubernetes pkg/apis/core/v1/defaults.go.
import type { Container } from './container-schema.ts'
import type { PodSpec } from './pod-spec-schema.ts'
import type { Probe } from './probe-schema.ts'
import type { Volume } from './volume-schema.ts'

/** `rw-r--r--`: permissions of files of volumes. */
export const defaultFileMode = 0o644

/** Pods of this label keep probes without a period: they are probed quickly, as Knative's queue-proxy does. */
const revisionLabel = 'serving.knative.dev/revision'

/** Fills in what Kubernetes would; idempotent. */
export function setPodDefaults(labels: Readonly<Record<string, string>> | undefined, spec: PodSpec): void {
  const probesQuickly = labels?.[revisionLabel] !== undefined
  spec.restartPolicy ||= 'Always'
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.schedulerName ||= 'default-scheduler'
  spec.terminationGracePeriodSeconds ??= 30
  spec.securityContext ??= {}
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    setContainerDefaults(container, probesQuickly)
  }
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume)
}

function setContainerDefaults(container: Container, probesQuickly: boolean): void {
  container.resources ??= {}
  container.imagePullPolicy ||= hasMovingTag(container.image ?? '') ? 'Always' : 'IfNotPresent'
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1'
  }
  const { requests, limits } = container.resources
  for (const [name, quantity] of Object.entries(limits ?? {})) {
    if (requests?.[name] === undefined) (container.resources.requests ??= {})[name] = quantity
  }
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe]) {
    if (probe !== undefined) setProbeDefaults(probe, probesQuickly)
  }
}

function setProbeDefaults(probe: Probe, probesQuickly: boolean): void {
  if (probe.httpGet !== undefined) {
    probe.httpGet.path ||= '/'
    probe.httpGet.scheme ||= 'HTTP'
  }
  if (probe.grpc !== undefined) probe.grpc.service ??= ''
  probe.successThreshold ||= 1
  if (probesQuickly && (probe.periodSeconds ?? 0) === 0) return
  probe.periodSeconds ||= 10
  probe.timeoutSeconds ||= 1
  probe.failureThreshold ||= 3
}

function setVolumeDefaults(volume: Volume): void {
  const { configMap, secret, downwardAPI, projected } = volume
  if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {}
  for (const source of [configMap, secret, downwardAPI, projected]) {
    if (source !== undefined) source.defaultMode ??= defaultFileMode
  }
  for (const { serviceAccountToken } of projected?.sources ?? []) {
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= 3_600
  }
}

/** Whether the image has the tag `latest`, or none, and no digest. */
function hasMovingTag(image: string): boolean {
  if (image.includes('@')) return false
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest'
  return tag === 'latest'
}
