// A container of a Pod. Source: kubernetes/api core/v1/types.go Container, EnvVar, VolumeMount.
import { anyObject, boolean, integer, intOrString, list, map, object, string } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { lifecycleSchema, probeSchema } from './probe-schema.ts'

const int32 = { format: 'int32' } as const
const int64 = { format: 'int64' } as const

const keyRef = (of: string) =>
  object(`One key of a ${of}.`, {
    name: string(`Name of the ${of}.`),
    key: string('The key.'),
    optional: boolean('Whether it may be absent.'),
  })

const envSource = (of: string) =>
  object(`All keys of a ${of}.`, {
    name: string(`Name of the ${of}.`),
    optional: boolean('Whether it may be absent.'),
  })

export const fieldRefSchema = object('A field of the Pod.', {
  apiVersion: string('Version of the schema the path is written in.'),
  fieldPath: string('The field, e.g. metadata.name or status.podIP.'),
})

export const resourceFieldRefSchema = object('A resource of a container.', {
  containerName: string('Name of the container.'),
  resource: string('The resource, e.g. limits.cpu.'),
  divisor: intOrString('What the value is divided by.'),
})

const envVar = object('One environment variable.', {
  name: string('Name of the variable.'),
  value: string('Its value; $(NAME) stands for a variable that was set before.'),
  valueFrom: object('Where its value comes from; instead of value.', {
    configMapKeyRef: keyRef('ConfigMap'),
    secretKeyRef: keyRef('Secret'),
    fieldRef: fieldRefSchema,
    resourceFieldRef: resourceFieldRefSchema,
    fileKeyRef: anyObject('A key of a file; not supported by Knode.'),
  }),
})

const envFromSource = object('Variables from one object.', {
  prefix: string('Written before each name.'),
  configMapRef: envSource('ConfigMap'),
  secretRef: envSource('Secret'),
})

const port = object('A port.', {
  name: string('Name of the port, for Services and probes.'),
  containerPort: integer('Number of the port; the program reads the first one from PORT.', int32),
  protocol: string('TCP, UDP or SCTP.', { enum: ['SCTP', 'TCP', 'UDP'] }),
  hostIP: string('Address of the machine. Knode keeps it and binds nothing.'),
  hostPort: integer('Port of the machine. Knode keeps it and binds nothing.', int32),
})

const quantities = (description: string) => map(description, intOrString('A quantity, e.g. 100m or 1Gi.'))

export const resourcesSchema = object('What is needed and may be used.', {
  limits: quantities('The most it may use.'),
  requests: quantities('What it needs.'),
  claims: list('Claims of dynamic resources.', anyObject('A claim.')),
})

export const containerSchema = object('One container.', {
  name: string('Name of the container, unique in the Pod.'),
  image: string('The image. Knode runs knode.dev/command, an image built into it, or a container.'),
  imagePullPolicy: string('Always, IfNotPresent or Never.', { enum: ['Always', 'IfNotPresent', 'Never'] }),
  command: list('Replaces the image’s entry point.', string('A word of it.')),
  args: list('Arguments of the entry point.', string('An argument.')),
  workingDir: string('Working directory.'),
  ports: list('Ports it listens on.', port),
  env: list('Environment variables.', envVar),
  envFrom: list('Environment variables from whole ConfigMaps and Secrets.', envFromSource),
  resources: resourcesSchema,
  resizePolicy: list('How resources are changed while it runs.', anyObject('A policy.')),
  restartPolicy: string('Always on an init container makes it a sidecar.'),
  restartPolicyRules: list('When it is started again.', anyObject('A rule.')),
  volumeMounts: list(
    'Where volumes appear.',
    object('One mount.', {
      name: string('Name of the volume.'),
      mountPath: string('Absolute path in the container.'),
      subPath: string('Path inside the volume.'),
      subPathExpr: string('Path inside the volume, with $(NAME) for variables.'),
      readOnly: boolean('Whether it is read-only.'),
      recursiveReadOnly: string('Whether mounts below are read-only, too.'),
      mountPropagation: string('How mounts propagate.'),
    }),
  ),
  volumeDevices: list('Block devices.', anyObject('A device.')),
  readinessProbe: probeSchema('When requests may come.'),
  livenessProbe: probeSchema('When to restart the container.'),
  startupProbe: probeSchema('When the container counts as started.'),
  lifecycle: lifecycleSchema,
  terminationMessagePath: string('File with the container’s last words.'),
  terminationMessagePolicy: string('File or FallbackToLogsOnError.', { enum: ['FallbackToLogsOnError', 'File'] }),
  securityContext: object('Security options.', {
    runAsUser: integer('User it runs as.', int64),
    runAsGroup: integer('Group it runs as.', int64),
    runAsNonRoot: boolean('Whether root is refused.'),
    readOnlyRootFilesystem: boolean('Whether its files cannot be written.'),
    allowPrivilegeEscalation: boolean('Whether it may gain privileges.'),
    privileged: boolean('Whether it has those of the machine.'),
    procMount: string('How /proc appears.'),
    capabilities: object('Linux capabilities.', {
      add: list('More than usual.', string('A capability.')),
      drop: list('Less than usual.', string('A capability, or ALL.')),
    }),
    seLinuxOptions: anyObject('SELinux labels.'),
    windowsOptions: anyObject('For Windows.'),
    seccompProfile: anyObject('System calls it may make.'),
    appArmorProfile: anyObject('AppArmor profile.'),
  }),
  stdin: boolean('Whether standard input is kept open. Knode gives none.'),
  stdinOnce: boolean('Whether it closes after the first client.'),
  tty: boolean('Whether it gets a terminal. Knode gives none.'),
})

export type Container = Infer<typeof containerSchema>
export type ContainerPort = NonNullable<Container['ports']>[number]
export type EnvVar = Infer<typeof envVar>
export type EnvFromSource = Infer<typeof envFromSource>
export type VolumeMount = NonNullable<Container['volumeMounts']>[number]
