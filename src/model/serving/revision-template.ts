// What a Revision is made from: `spec.template` of Services and Configurations.
// Source: knative/serving pkg/apis/serving/v1/revision_types.go, fieldmask.go.
import { anyObject, boolean, integer, list, map, object, string } from '../kubernetes/schema.ts'
import type { Infer } from '../kubernetes/schema.ts'
import { containerSchema } from './container-schema.ts'

const int64 = { format: 'int64' } as const

const volumeSchema = object('One volume.', {
  name: string('Name of the volume.'),
  secret: anyObject('Files from a Secret.'),
  configMap: anyObject('Files from a ConfigMap.'),
  projected: anyObject('Files from several sources.'),
  emptyDir: anyObject('An empty directory that lives as long as the instance.'),
  persistentVolumeClaim: anyObject('A claim; needs a feature flag.'),
  hostPath: anyObject('A path of the machine; needs a feature flag.'),
  csi: anyObject('A CSI volume; needs a feature flag.'),
  ephemeral: anyObject('An ephemeral claim; needs a feature flag.'),
  image: anyObject('The files of an image; needs a feature flag.'),
})

/** Fields that only a flag of `config-features` lets through, by the flag’s name. */
export const gatedPodFields = {
  affinity: 'kubernetes.podspec-affinity',
  topologySpreadConstraints: 'kubernetes.podspec-topologyspreadconstraints',
  hostAliases: 'kubernetes.podspec-hostaliases',
  nodeSelector: 'kubernetes.podspec-nodeselector',
  tolerations: 'kubernetes.podspec-tolerations',
  runtimeClassName: 'kubernetes.podspec-runtimeclassname',
  securityContext: 'kubernetes.podspec-securitycontext',
  priorityClassName: 'kubernetes.podspec-priorityclassname',
  schedulerName: 'kubernetes.podspec-schedulername',
  dnsPolicy: 'kubernetes.podspec-dnspolicy',
  dnsConfig: 'kubernetes.podspec-dnsconfig',
  shareProcessNamespace: 'kubernetes.podspec-shareprocessnamespace',
  hostIPC: 'kubernetes.podspec-hostipc',
  hostPID: 'kubernetes.podspec-hostpid',
  hostNetwork: 'kubernetes.podspec-hostnetwork',
  initContainers: 'kubernetes.podspec-init-containers',
} as const

const gated = (description: string): string => `${description} Needs a flag in config-features.`

export const revisionSpecSchema = object('How the Revision runs.', {
  containers: list('The containers; one of them takes requests.', containerSchema),
  initContainers: list(gated('Containers that run before the others.'), containerSchema),
  volumes: list('Volumes the containers mount.', volumeSchema),
  containerConcurrency: integer('Requests an instance works on at a time; 0 is no limit.', int64),
  timeoutSeconds: integer('Longest time of a request.', int64),
  responseStartTimeoutSeconds: integer('Longest time until the first byte of the answer.', int64),
  idleTimeoutSeconds: integer('Longest time without a byte of the answer.', int64),
  serviceAccountName: string('Identity the Revision runs with.'),
  automountServiceAccountToken: boolean('Only false may be set.'),
  enableServiceLinks: boolean('Whether variables tell of the namespace’s Services.'),
  imagePullSecrets: list('Secrets to pull the image with.', object('One of them.', { name: string('Its name.') })),
  affinity: anyObject(gated('Scheduling preferences.')),
  topologySpreadConstraints: list(gated('How instances are spread.'), anyObject('A constraint.')),
  hostAliases: list(gated('Lines of /etc/hosts.'), anyObject('A line.')),
  nodeSelector: map(gated('Labels of nodes.'), string('A value.')),
  tolerations: list(gated('Taints that are tolerated.'), anyObject('A toleration.')),
  runtimeClassName: string(gated('The runtime.')),
  securityContext: anyObject(gated('Security options of the Pod.')),
  priorityClassName: string(gated('The priority.')),
  schedulerName: string(gated('The scheduler.')),
  dnsPolicy: string(gated('How names are resolved.')),
  dnsConfig: anyObject(gated('How names are resolved, in detail.')),
  shareProcessNamespace: boolean(gated('Whether containers see each other’s processes.')),
  hostIPC: boolean(gated('Whether the machine’s IPC is used.')),
  hostPID: boolean(gated('Whether the machine’s processes are seen.')),
  hostNetwork: boolean(gated('Whether the machine’s network is used.')),
  restartPolicy: string('May not be set.'),
  terminationGracePeriodSeconds: integer('May not be set.', int64),
  activeDeadlineSeconds: integer('May not be set.', int64),
  nodeName: string('May not be set.'),
  hostname: string('May not be set.'),
  subdomain: string('May not be set.'),
  priority: integer('May not be set.', int64),
  readinessGates: list('May not be set.', anyObject('A gate.')),
})

export const revisionTemplateSchema = object('What each new Revision is made from.', {
  metadata: object('Name, labels and annotations of the Revision.', {
    name: string('Name of the Revision; must begin with the Service’s name and a dash. Made up when absent.'),
    generateName: string('Beginning of a made-up name.'),
    creationTimestamp: string('Means nothing here: typed clients send null.', { nullable: true }),
    labels: map('Labels.', string('Value.')),
    annotations: map('Annotations, e.g. autoscaling.knative.dev/min-scale or knode.dev/command.', string('Value.')),
  }),
  spec: revisionSpecSchema,
})

export type RevisionSpec = Infer<typeof revisionSpecSchema>
export type RevisionTemplate = Infer<typeof revisionTemplateSchema>
export type Volume = Infer<typeof volumeSchema>
