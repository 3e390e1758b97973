// Defaults of a Pod: those of its spec, and where it runs. Source: kubernetes/kubernetes pkg/registry/core/pod/strategy.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { setPodDefaults } from '../../../model/kubernetes/pod/defaults.ts'
import { nodeName } from '../../../model/kubernetes/pod/pod.ts'
import type { Pod, PodStatus } from '../../../model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../../model/kubernetes/pod/pod-spec-schema.ts'

export function setDefaults(pod: Pod, { operation }: Pick<AdmissionContext<Pod>, 'operation'>): void {
  const spec = (pod.spec ??= {})
  setPodDefaults(pod.metadata.labels, spec)
  spec.enableServiceLinks ??= true
  if (operation !== 'create') return
  spec.serviceAccountName ||= spec.serviceAccount || 'default'
  spec.serviceAccount = spec.serviceAccountName
  spec.nodeName ||= nodeName
  pod.status = { phase: 'Pending', qosClass: qosClass(spec) }
}

/** Source: kubernetes/kubernetes pkg/apis/core/v1/helper/qos. */
function qosClass({ containers = [], initContainers = [] }: PodSpec): NonNullable<PodStatus['qosClass']> {
  const all = [...containers, ...initContainers].map(({ resources = {} }) => resources)
  const gives = (quantities: object | undefined): boolean => Object.keys(quantities ?? {}).length > 0
  if (!all.some(({ limits, requests }) => gives(limits) || gives(requests))) return 'BestEffort'
  const isBound = ({ limits = {}, requests = {} }: (typeof all)[number]): boolean =>
    ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name])
  return all.every(isBound) ? 'Guaranteed' : 'Burstable'
}
