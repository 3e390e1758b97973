// What an Ingress gets that it did not ask for. Source: knative/networking
// pkg/apis/networking/v1alpha1/ingress_defaults.go.
import type { Ingress } from './schema.ts'

export function setIngressDefaults(draft: Ingress): void {
  for (const rule of draft.spec?.rules ?? []) {
    if ((rule.visibility ?? '') === '') rule.visibility = 'ExternalIP'
    for (const { splits = [] } of rule.http?.paths ?? []) {
      const [only] = splits
      if (splits.length === 1 && (only!.percent ?? 0) === 0) only!.percent = 100
    }
  }
}
