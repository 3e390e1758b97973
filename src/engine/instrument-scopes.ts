// The instrumentation scopes of Knode's metrics, by upstream's names. By them it is decided which ConfigMap rules what.

/** What waits for an instance, and passes the gateway. Source: knative/serving pkg/activator/handler/metrics.go. */
export const activatorScope = 'knative.dev/serving/pkg/activator'
/** Each request of a Revision. Source: knative/serving pkg/queue/request_metric.go. */
export const queueScope = 'knative.dev/serving/pkg/queue'
/** How many instances. Source: knative/serving pkg/autoscaler/scaling/metrics.go. */
export const autoscalerScope = 'knative.dev/serving/pkg/autoscaler'
/** Reconciling. Source: knative/pkg observability/metrics/k8s. */
export const controllersScope = 'knative.dev/pkg/observability/metrics/k8s'
/** All that happens to events; upstream has one scope for each of its programs. */
export const eventingScope = 'knative.dev/eventing'
