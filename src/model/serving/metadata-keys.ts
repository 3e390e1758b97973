// Labels and annotations that tie the objects of Serving together. Source: knative/serving
// pkg/apis/serving/register.go, knative/networking pkg/apis/networking/register.go.

const serving = 'serving.knative.dev'

/** Labels. */
export const serviceLabel = `${serving}/service`
export const serviceUidLabel = `${serving}/serviceUID`
export const configurationLabel = `${serving}/configuration`
export const configurationGenerationLabel = `${serving}/configurationGeneration`
export const configurationUidLabel = `${serving}/configurationUID`
export const revisionLabel = `${serving}/revision`
export const revisionUidLabel = `${serving}/revisionUID`
/** On Deployments: what it was made of. */
export const deploymentHashLabel = `${serving}/deployment-hash`
export const routeLabel = `${serving}/route`
export const routeNamespaceLabel = `${serving}/routeNamespace`
export const domainMappingUidLabel = `${serving}/domainMappingUID`
export const domainMappingNamespaceLabel = `${serving}/domainMappingNamespace`
/** Whether traffic may reach the Revision: a {@link RoutingState}. */
export const routingStateLabel = `${serving}/routingState`
export const visibilityLabel = 'networking.knative.dev/visibility'
export const clusterLocalVisibility = 'cluster-local'

/** Annotations. */
export const creatorAnnotation = `${serving}/creator`
export const lastModifierAnnotation = `${serving}/lastModifier`
/** Names of the Routes that lead to a Revision or Configuration, with commas between. */
export const routesAnnotation = `${serving}/routes`
/** When the routing state changed last: RFC 3339. */
export const routingStateModifiedAnnotation = `${serving}/routingStateModified`
/** Keeps a Revision from being cleaned up. */
export const noGcAnnotation = `${serving}/no-gc`
export const lastPinnedAnnotation = `${serving}/lastPinned`
export const kubectlLastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** `pending`: nobody decided yet; `active`: a Route leads to it; `reserve`: none does, it is kept for a rollback. */
export type RoutingState = 'pending' | 'active' | 'reserve'
