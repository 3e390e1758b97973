// One look at whether a container is well. Source: kubernetes/kubernetes pkg/probe/{http,tcp,grpc,exec}.
import { connect as connectHttp2, constants } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Container, ContainerPort } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import { WireWriter } from '../../model/protobuf/wire-writer.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'
import { anyHttpFailure, httpFailure, probeUserAgent } from './http-probe.ts'
import type { HttpVersion } from './http-probe.ts'

export type ProbeResult = { isWell: true } | { isWell: false; message: string }

/** Looks once. Never throws. */
export type ProbeAttempt = (probe: Probe, target: ProbeTarget, timeoutMs: number) => Promise<ProbeResult>

export interface ProbeTarget {
  workload: Workload
  container: Container
  clock: Clock
  /** Programs behind any port may speak HTTP/2 without TLS, not only those behind one named `h2c`. @default false */
  detectsHttp2?: boolean
  /** By address: the HTTP version by which this instance has answered a probe. Kept between looks. */
  spoken?: Map<string, HttpVersion>
}

/** The name of a port that tells that HTTP/2 without TLS is spoken behind it. Source: Knative runtime contract. */
const http2PortName = 'h2c'

export const attemptProbe: ProbeAttempt = async (probe, target, timeoutMs) => {
  const message = await failureOf(probe, target, timeoutMs).catch(messageOf)
  return message === undefined ? { isWell: true } : { isWell: false, message }
}

async function failureOf(probe: Probe, target: ProbeTarget, timeoutMs: number): Promise<string | undefined> {
  const { httpGet, tcpSocket, grpc, exec } = probe
  if (httpGet !== undefined) return webFailure(httpGet, target, timeoutMs)
  if (grpc !== undefined) {
    return grpcFailure(grpc.service ?? '', placeOf(undefined, grpc.port, target), target.clock, timeoutMs)
  }
  if (exec !== undefined) return execFailure(exec.command ?? [], target, timeoutMs)
  return tcpFailure(placeOf(tcpSocket?.host, tcpSocket?.port, target), target.clock, timeoutMs)
}

interface Place {
  host: string
  port: number
}

/** Where a port of the container is reached from here. Port 0, or none, is the first one it declares. */
function placeOf(
  host: string | undefined,
  port: number | string | undefined,
  { workload, container }: ProbeTarget,
): Place {
  const number = numberOf(port)
  const declared = declaredPort(port, container)
  if (number === undefined && declared === undefined && !isFirst(port)) throw new Error(`couldn't find port "${port}"`)
  const containerPort = declared?.containerPort ?? (number === 0 ? undefined : number)
  const reached = containerPort === undefined ? workload.port : (workload.portOf(containerPort) ?? containerPort)
  return { host: host === undefined || host === '' ? workload.host : host, port: reached }
}

const isFirst = (port: number | string | undefined): boolean => port === undefined || port === '' || Number(port) === 0
const numberOf = (port: number | string | undefined): number | undefined =>
  typeof port === 'number' || /^\d+$/.test(port ?? '') ? Number(port) : undefined

/** The container's own port that is meant, if it declares it. */
function declaredPort(port: number | string | undefined, { ports = [] }: Container): ContainerPort | undefined {
  if (isFirst(port)) return ports[0]
  const number = numberOf(port)
  return ports.find(({ name, containerPort }) => (number === undefined ? name === port : containerPort === number))
}

function webFailure(
  httpGet: NonNullable<Probe['httpGet']>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<string | undefined> {
  const { clock, container, detectsHttp2 = false, spoken = new Map() } = target
  const probe = { httpGet, ...placeOf(httpGet.host, httpGet.port, target), timeoutMs, clock }
  const mayBeHttp2 = detectsHttp2 || declaredPort(httpGet.port, container)?.name === http2PortName
  return mayBeHttp2 ? anyHttpFailure(probe, spoken) : httpFailure(probe)
}

function tcpFailure({ host, port }: Place, clock: Clock, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const cancel = clock.setTimer(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)))
    const done = (failure?: string): void => {
      cancel()
      socket.destroy()
      resolve(failure)
    }
    socket.once('connect', () => done())
    socket.once('error', (error) => done(`dial tcp ${host}:${port}: ${error.message}`))
  })
}

/** `grpc.health.v1.Health/Check` over HTTP/2 without TLS: asks for field 1 of HealthCheckResponse, 1 is SERVING. */
function grpcFailure(
  service: string,
  { host, port }: Place,
  clock: Clock,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    const cancel = clock.setTimer(timeoutMs, () => done(`timeout: health rpc did not complete within ${timeoutMs} ms`))
    const done = (failure?: string): void => {
      cancel()
      session.destroy()
      resolve(failure)
    }
    session.on('error', (error: Error) => done(`timeout: failed to connect service: ${error.message}`))
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': probeUserAgent,
    })
    const chunks: Buffer[] = []
    let status = ''
    const note = (headers: IncomingHttpHeaders): void => {
      const given = headers['grpc-status']
      if (typeof given === 'string') status ||= given
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', (error: Error) => done(`error: health rpc probe failed: ${error.message}`))
    stream.on('end', () => {
      if (status !== '' && status !== '0') return done(`error: health rpc probe failed: grpc-status ${status}`)
      const serving = servingStatus(Buffer.concat(chunks))
      done(serving === 1 ? undefined : `service unhealthy (responded with "${servingNames[serving] ?? serving}")`)
    })
    const message = new WireWriter()
    message.string(1, service)
    const head = Buffer.alloc(5)
    head.writeUInt32BE(message.bytes.length, 1)
    stream.end(Buffer.concat([head, message.bytes]))
  })
}

const servingNames: Readonly<Record<number, string>> = { 0: 'UNKNOWN', 2: 'NOT_SERVING', 3: 'SERVICE_UNKNOWN' }

/** Behind the five bytes of the frame: `08 STATUS`, or nothing for 0. */
const servingStatus = (frame: Buffer): number => (frame.length >= 7 && frame[5] === 0x08 ? frame[6]! : 0)

async function execFailure(
  command: string[],
  { workload }: ProbeTarget,
  timeoutMs: number,
): Promise<string | undefined> {
  if (workload.exec === undefined) return 'the runtime cannot run commands in this container'
  const { code, output } = await workload.exec(command, { timeoutMs })
  return code === 0 ? undefined : output.trim() || `command ended with exit code ${code}`
}
