// Defaults of a Deployment. Source: kubernetes/kubernetes pkg/apis/apps/v1/defaults.go.
import { setPodDefaults } from '../../../model/kubernetes/pod/defaults.ts'
import type { Deployment } from './schema.ts'

export function setDefaults(deployment: Deployment): void {
  const spec = (deployment.spec ??= {})
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  const strategy = (spec.strategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    strategy.rollingUpdate.maxSurge ??= '25%'
    strategy.rollingUpdate.maxUnavailable ??= '25%'
  }
  const template = (spec.template ??= {})
  setPodDefaults(template.metadata?.labels, (template.spec ??= {}))
}
