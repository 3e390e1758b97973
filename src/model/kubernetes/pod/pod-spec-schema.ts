// What a Pod should be, and the template Pods are made from. Source: kubernetes/api core/v1/types.go PodSpec.
import { anyObject, boolean, integer, list, map, object, string } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { containerSchema, resourcesSchema } from './container-schema.ts'
import { volumeSchema } from './volume-schema.ts'

const int32 = { format: 'int32' } as const
const int64 = { format: 'int64' } as const
const named = object('One of them.', { name: string('Its name.') })

export const podSpecSchema = object('What the Pod should be.', {
  containers: list('The containers.', containerSchema),
  initContainers: list('Containers that run to their end, in order, before the others.', containerSchema),
  ephemeralContainers: list('Containers for debugging; not supported by Knode.', anyObject('A container.')),
  volumes: list('Volumes the containers mount.', volumeSchema),
  restartPolicy: string('When ended containers are started again.', { enum: ['Always', 'Never', 'OnFailure'] }),
  terminationGracePeriodSeconds: integer('Time the Pod has to end.', int64),
  activeDeadlineSeconds: integer('Time the Pod may run.', int64),
  serviceAccountName: string('Identity of the Pod.'),
  serviceAccount: string('Old name of serviceAccountName.'),
  automountServiceAccountToken: boolean('Whether the identity’s token is mounted.'),
  imagePullSecrets: list('Secrets to pull images with.', named),
  enableServiceLinks: boolean('Whether variables tell of the namespace’s Services.'),
  hostAliases: list(
    'Lines of /etc/hosts.',
    object('One line.', { ip: string('The address.'), hostnames: list('Its names.', string('A name.')) }),
  ),
  hostname: string('Host name of the Pod.'),
  subdomain: string('Domain of the Pod.'),
  setHostnameAsFQDN: boolean('Whether the host name is the full one.'),
  hostNetwork: boolean('Whether the machine’s network is used.'),
  hostPID: boolean('Whether the machine’s processes are seen.'),
  hostIPC: boolean('Whether the machine’s IPC is used.'),
  hostUsers: boolean('Whether the machine’s users are used.'),
  shareProcessNamespace: boolean('Whether containers see each other’s processes.'),
  dnsPolicy: string('How names are resolved.'),
  dnsConfig: anyObject('How names are resolved, in detail.'),
  securityContext: object('Security options of all containers.', {
    runAsUser: integer('User they run as.', int64),
    runAsGroup: integer('Group they run as.', int64),
    runAsNonRoot: boolean('Whether root is refused.'),
    fsGroup: integer('Group of volumes.', int64),
    fsGroupChangePolicy: string('When the group of volumes is set.'),
    supplementalGroups: list('More groups.', integer('A group.', int64)),
    supplementalGroupsPolicy: string('How they are found.'),
    sysctls: list('Kernel parameters.', anyObject('A parameter.')),
    seLinuxOptions: anyObject('SELinux labels.'),
    seLinuxChangePolicy: string('How labels of volumes are set.'),
    windowsOptions: anyObject('For Windows.'),
    seccompProfile: anyObject('System calls they may make.'),
    appArmorProfile: anyObject('AppArmor profile.'),
  }),
  nodeName: string('The machine. Knode has one.'),
  nodeSelector: map('Labels of machines. Knode has one.', string('A value.')),
  affinity: anyObject('Scheduling preferences. Knode schedules nothing.'),
  tolerations: list('Taints that are tolerated.', anyObject('A toleration.')),
  topologySpreadConstraints: list('How Pods are spread.', anyObject('A constraint.')),
  schedulerName: string('The scheduler.'),
  schedulingGates: list('What must happen before scheduling.', named),
  priorityClassName: string('The priority.'),
  priority: integer('The priority as a number.', int32),
  preemptionPolicy: string('Whether others make room.'),
  runtimeClassName: string('The runtime.'),
  overhead: anyObject('What the runtime needs.'),
  readinessGates: list('Further conditions of readiness.', anyObject('A gate.')),
  os: named,
  resources: resourcesSchema,
  resourceClaims: list('Dynamic resources.', anyObject('A claim.')),
})

export const podTemplateSchema = object('What Pods are made from.', {
  metadata: object('Labels and annotations of the Pods.', {
    name: string('Not used.'),
    generateName: string('Not used.'),
    namespace: string('Not used.'),
    creationTimestamp: string('Not used.', { nullable: true }),
    labels: map('Labels.', string('Value.')),
    annotations: map('Annotations, e.g. knode.dev/command.', string('Value.')),
    finalizers: list('Finalizers.', string('Name.')),
    ownerReferences: list('Not used.', anyObject('An owner.')),
  }),
  spec: podSpecSchema,
})

export type PodSpec = Infer<typeof podSpecSchema>
export type PodTemplate = Infer<typeof podTemplateSchema>
