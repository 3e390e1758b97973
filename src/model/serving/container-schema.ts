// A container of a Revision, as far as Serving lets it be described.
// Source: kubernetes/api core/v1/types.go, knative/serving pkg/apis/serving/fieldmask.go.
import { anyObject, boolean, integer, intOrString, list, map, object, string } from '../kubernetes/schema.ts'
import type { Infer } from '../kubernetes/schema.ts'

const int32 = { format: 'int32' } as const

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

const envVar = object('One environment variable.', {
  name: string('Name of the variable.'),
  value: string('Its value; $(NAME) stands for a variable that was set before.'),
  valueFrom: object('Where its value comes from; instead of value.', {
    configMapKeyRef: keyRef('ConfigMap'),
    secretKeyRef: keyRef('Secret'),
    fieldRef: anyObject('A field of the Pod; needs the feature flag kubernetes.podspec-fieldref.'),
    resourceFieldRef: anyObject('A resource of the container; needs the same flag.'),
  }),
})

const envFromSource = object('Variables from one object.', {
  prefix: string('Written before each name.'),
  configMapRef: envSource('ConfigMap'),
  secretRef: envSource('Secret'),
})

const port = object('A port.', {
  name: string('http1 (also when empty) or h2c: the protocol that is spoken.'),
  containerPort: integer('Number of the port; the program reads it from PORT. Defaults to 8080.', int32),
  protocol: string('TCP.'),
  hostIP: string('May not be set.'),
  hostPort: integer('May not be set.', int32),
})

const probe = (description: string) =>
  object(description, {
    httpGet: object('A GET request that must be answered 200 to 399.', {
      host: string('Host to connect to. Defaults to the program’s.'),
      path: string('Path of the request.'),
      port: intOrString('Number or name of the port. Defaults to the container’s.'),
      scheme: string('HTTP or HTTPS.'),
      httpHeaders: list(
        'Headers of the request.',
        object('One header.', { name: string('Name.'), value: string('Value.') }),
      ),
    }),
    tcpSocket: object('A connection that must be accepted.', {
      host: string('Host to connect to. Defaults to the program’s.'),
      port: intOrString('Number or name of the port. Defaults to the container’s.'),
    }),
    exec: object('A command that must end with 0.', { command: list('The command.', string('A word of it.')) }),
    grpc: object('A gRPC health check that must say SERVING.', {
      port: integer('Number of the port.', int32),
      service: string('Service to ask for.'),
    }),
    initialDelaySeconds: integer('Wait before the first probe.', int32),
    periodSeconds: integer('Time between two probes; 0 probes quickly until the first success.', int32),
    timeoutSeconds: integer('Longest wait for one answer.', int32),
    successThreshold: integer('Successes in a row that count.', int32),
    failureThreshold: integer('Failures in a row that count.', int32),
    terminationGracePeriodSeconds: integer('Time to end after a failed probe.', { format: 'int64' }),
  })

const resources = (description: string) => map(description, intOrString('A quantity, e.g. 100m or 1Gi.'))

export const containerSchema = object('One container.', {
  name: string('Name of the container. Defaults to user-container.'),
  image: string('The image. Knode runs knode.dev/command, an image built into it, or a container.'),
  imagePullPolicy: string('Always, IfNotPresent or Never.'),
  command: list('Replaces the image’s entry point.', string('A word of it.')),
  args: list('Arguments of the entry point.', string('An argument.')),
  workingDir: string('Working directory.'),
  ports: list('The port requests go to; one at most.', port),
  env: list('Environment variables.', envVar),
  envFrom: list('Environment variables from whole ConfigMaps and Secrets.', envFromSource),
  resources: object('What the container needs and may use.', {
    limits: resources('The most it may use.'),
    requests: resources('What it needs.'),
    claims: list('May not be set.', anyObject('A claim.')),
  }),
  volumeMounts: list(
    'Where volumes appear.',
    object('One mount.', {
      name: string('Name of the volume.'),
      mountPath: string('Absolute path in the container.'),
      subPath: string('Path inside the volume.'),
      readOnly: boolean('Whether it is read-only.'),
      mountPropagation: string('How mounts propagate; needs a feature flag.'),
    }),
  ),
  readinessProbe: probe('When requests may come. Defaults to a connection to the port.'),
  livenessProbe: probe('When to restart the container.'),
  startupProbe: probe('When the container counts as started.'),
  securityContext: anyObject('Security options.'),
  terminationMessagePath: string('File with the container’s last words.'),
  terminationMessagePolicy: string('File or FallbackToLogsOnError.'),
  lifecycle: anyObject('May not be set.'),
  stdin: boolean('May not be set.'),
  stdinOnce: boolean('May not be set.'),
  tty: boolean('May not be set.'),
  volumeDevices: list('May not be set.', anyObject('A device.')),
})

export type Container = Infer<typeof containerSchema>
export type EnvVar = Infer<typeof envVar>
export type EnvFromSource = Infer<typeof envFromSource>
export type Probe = NonNullable<Container['readinessProbe']>
export type ContainerPort = Infer<typeof port>
