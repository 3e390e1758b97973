// Conditions that Knative reports while OIDC is off. Source: knative/eventing pkg/reconciler, pkg/auth.
import type { Conditions } from './reconciler.ts'

/** No EventPolicy can apply while authentication is off. */
export function markEventPoliciesDisabled(conditions: Conditions): void {
  conditions.markTrue(
    'EventPoliciesReady',
    'OIDCDisabled',
    'Feature "authentication-oidc" must be enabled to support Authorization',
  )
}

/** No identity is made while authentication is off. */
export function markIdentityDisabled(conditions: Conditions): void {
  conditions.markTrue('OIDCIdentityCreated', 'authentication-oidc feature disabled')
}
