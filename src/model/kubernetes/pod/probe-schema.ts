// Probes and lifecycle hooks of a container. Source: kubernetes/api core/v1/types.go Probe, Lifecycle.
import { anyObject, integer, intOrString, list, object, string } from '../schema.ts'
import type { Infer } from '../schema.ts'

const int32 = { format: 'int32' } as const

const command = object('A command that must end with 0.', { command: list('The command.', string('A word of it.')) })

const httpGet = object('A GET request that must be answered 200 to 399.', {
  host: string('Host to connect to. Defaults to the Pod.'),
  path: string('Path of the request.'),
  port: intOrString('Number or name of the port.'),
  scheme: string('HTTP or HTTPS.', { enum: ['HTTP', 'HTTPS'] }),
  httpHeaders: list(
    'Headers of the request.',
    object('One header.', { name: string('Name.'), value: string('Value.') }),
  ),
})

const tcpSocket = object('A connection that must be accepted.', {
  host: string('Host to connect to. Defaults to the Pod.'),
  port: intOrString('Number or name of the port.'),
})

export const probeSchema = (description: string) =>
  object(description, {
    httpGet,
    tcpSocket,
    exec: command,
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

const handler = (description: string) =>
  object(description, { exec: command, httpGet, tcpSocket, sleep: anyObject('A wait.') })

export const lifecycleSchema = object('What happens around start and stop. Knode runs no hooks.', {
  postStart: handler('After the start.'),
  preStop: handler('Before the stop.'),
  stopSignal: string('Signal that asks it to end.'),
})

export type Probe = Infer<ReturnType<typeof probeSchema>>
