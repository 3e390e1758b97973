// The Pod a template would make, for dry runs: close enough to be refused where its Pods would be.
// Source: knative/serving pkg/webhook/podspec_dryrun.go.
import type { Resource } from '../kubernetes/resource.ts'
import type { RevisionTemplate } from './revision-template.ts'

const servingPortDefault = 8080

/** @param template with its defaults */
export function samplePod({ spec = {} }: RevisionTemplate, namespace: string): Resource & { spec: object } {
  const {
    containerConcurrency: _,
    timeoutSeconds: __,
    responseStartTimeoutSeconds: ___,
    idleTimeoutSeconds: ____,
    ...pod
  } = structuredClone(spec)
  // A port may be given by its name alone.
  for (const { ports = [] } of pod.containers ?? []) {
    for (const port of ports) port.containerPort ||= servingPortDefault
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'dry-run-validation', namespace }, spec: pod }
}
