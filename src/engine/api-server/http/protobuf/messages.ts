// Field numbers of the messages that clients send as protobuf. Source: the generated.proto files of kubernetes/api
// (core, coordination, authentication, authorization) and kubernetes/apimachinery (meta).
import { message } from './message.ts'
import type { Message } from './message.ts'
import { podMessages } from './pod-messages.ts'

const review = (spec: string): Message => message(`metadata:1 ObjectMeta, spec:2 ${spec}`)

/** By the message's name without its package; names are unique among those we read. */
export const messages: Readonly<Record<string, Message>> = {
  ...podMessages,

  // meta/v1
  ObjectMeta: message(`name:1 string, generateName:2 string, namespace:3 string, selfLink:4 string, uid:5 string,
    resourceVersion:6 string, generation:7 integer, creationTimestamp:8 Time, deletionTimestamp:9 Time,
    deletionGracePeriodSeconds:10 integer, labels:11 {}string, annotations:12 {}string,
    ownerReferences:13 []OwnerReference, finalizers:14 []string, managedFields:17 []ManagedFieldsEntry`),
  OwnerReference: message(`kind:1 string, name:3 string, uid:4 string, apiVersion:5 string, controller:6 boolean,
    blockOwnerDeletion:7 boolean`),
  ManagedFieldsEntry: message(`manager:1 string, operation:2 string, apiVersion:3 string, time:4 Time,
    fieldsType:6 string, fieldsV1:7 FieldsV1, subresource:8 string`),
  Condition: message(`type:1 string, status:2 string, observedGeneration:3 integer, lastTransitionTime:4 Time,
    reason:5 string, message:6 string`),
  DeleteOptions: message(`gracePeriodSeconds:1 integer, preconditions:2 Preconditions, orphanDependents:3 boolean,
    propagationPolicy:4 string, dryRun:5 []string`),
  Preconditions: message('uid:1 string, resourceVersion:2 string'),

  // core/v1
  ConfigMap: message('metadata:1 ObjectMeta, data:2 {}string, binaryData:3 {}bytes, immutable:4 boolean'),
  Secret: message('metadata:1 ObjectMeta, data:2 {}bytes, type:3 string, stringData:4 {}string, immutable:5 boolean'),
  Namespace: message('metadata:1 ObjectMeta, spec:2 NamespaceSpec, status:3 NamespaceStatus'),
  NamespaceSpec: message('finalizers:1 []string'),
  NamespaceStatus: message('phase:1 string, conditions:2 []NamespaceCondition'),
  NamespaceCondition: message(
    'type:1 string, status:2 string, lastTransitionTime:4 Time, reason:5 string, message:6 string',
  ),
  ServiceAccount: message(`metadata:1 ObjectMeta, secrets:2 []ObjectReference,
    imagePullSecrets:3 []LocalObjectReference, automountServiceAccountToken:4 boolean`),
  ObjectReference: message(`kind:1 string, namespace:2 string, name:3 string, uid:4 string, apiVersion:5 string,
    resourceVersion:6 string, fieldPath:7 string`),
  LocalObjectReference: message('name:1 string'),
  Event: message(`metadata:1 ObjectMeta, involvedObject:2 ObjectReference, reason:3 string, message:4 string,
    source:5 EventSource, firstTimestamp:6 Time, lastTimestamp:7 Time, count:8 integer, type:9 string,
    eventTime:10 MicroTime, series:11 EventSeries, action:12 string, related:13 ObjectReference,
    reportingComponent:14 string, reportingInstance:15 string`),
  EventSource: message('component:1 string, host:2 string'),
  EventSeries: message('count:1 integer, lastObservedTime:2 MicroTime'),
  Service: message('metadata:1 ObjectMeta, spec:2 ServiceSpec, status:3 ServiceStatus'),
  ServiceSpec: message(`ports:1 []ServicePort, selector:2 {}string, clusterIP:3 string, type:4 string,
    externalIPs:5 []string, sessionAffinity:7 string, loadBalancerIP:8 string, loadBalancerSourceRanges:9 []string,
    externalName:10 string, externalTrafficPolicy:11 string, healthCheckNodePort:12 integer,
    publishNotReadyAddresses:13 boolean, sessionAffinityConfig:14 SessionAffinityConfig, ipFamilyPolicy:17 string,
    clusterIPs:18 []string, ipFamilies:19 []string, allocateLoadBalancerNodePorts:20 boolean,
    loadBalancerClass:21 string, internalTrafficPolicy:22 string, trafficDistribution:23 string`),
  ServicePort: message(`name:1 string, protocol:2 string, port:3 integer, targetPort:4 IntOrString, nodePort:5 integer,
    appProtocol:6 string`),
  SessionAffinityConfig: message('clientIP:1 ClientIPConfig'),
  ClientIPConfig: message('timeoutSeconds:1 integer'),
  ServiceStatus: message('loadBalancer:1 LoadBalancerStatus, conditions:2 []Condition'),
  LoadBalancerStatus: message('ingress:1 []LoadBalancerIngress'),
  LoadBalancerIngress: message('ip:1 string, hostname:2 string, ipMode:3 string'),

  // coordination/v1
  Lease: message('metadata:1 ObjectMeta, spec:2 LeaseSpec'),
  LeaseSpec: message(`holderIdentity:1 string, leaseDurationSeconds:2 integer, acquireTime:3 MicroTime,
    renewTime:4 MicroTime, leaseTransitions:5 integer, strategy:6 string, preferredHolder:7 string`),

  // authentication/v1, authorization/v1
  TokenReview: review('TokenReviewSpec'),
  TokenReviewSpec: message('token:1 string, audiences:2 []string'),
  SelfSubjectReview: message('metadata:1 ObjectMeta'),
  SelfSubjectAccessReview: review('SelfSubjectAccessReviewSpec'),
  SelfSubjectAccessReviewSpec: message(
    'resourceAttributes:1 ResourceAttributes, nonResourceAttributes:2 NonResourceAttributes',
  ),
  SelfSubjectRulesReview: review('SelfSubjectRulesReviewSpec'),
  SelfSubjectRulesReviewSpec: message('namespace:1 string'),
  SubjectAccessReview: review('SubjectAccessReviewSpec'),
  LocalSubjectAccessReview: review('SubjectAccessReviewSpec'),
  SubjectAccessReviewSpec: message(`resourceAttributes:1 ResourceAttributes,
    nonResourceAttributes:2 NonResourceAttributes, user:3 string, groups:4 []string, extra:5 {}ExtraValue, uid:6 string`),
  ResourceAttributes: message(`namespace:1 string, verb:2 string, group:3 string, version:4 string, resource:5 string,
    subresource:6 string, name:7 string`),
  NonResourceAttributes: message('path:1 string, verb:2 string'),
}
