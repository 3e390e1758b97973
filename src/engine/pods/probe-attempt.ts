// One look at whether a container is well. Source: kubernetes/kubernetes pkg/probe/{http,tcp,grpc,exec}.
import { request as httpRequest } from 'node:http'
import type { RequestOptions } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'

export type ProbeResult = { isWell: true } | { isWell: false; message: string }

/** Looks once. Never throws. */
export type ProbeAttempt = (probe: Probe, target: ProbeTarget, timeoutMs: number) => Promise<ProbeResult>

export interface ProbeTarget {
  workload: Workload
  container: Container
  clock: Clock
}

const userAgent = 'kube-probe/1.34'
/** Of a failed answer, in characters, that the failure tells. */
const bodyCharactersMax = 200

export const attemptProbe: ProbeAttempt = async (probe, target, timeoutMs) => {
  const message = await failureOf(probe, target, timeoutMs).catch(messageOf)
  return message === undefined ? { isWell: true } : { isWell: false, message }
}

async function failureOf(probe: Probe, target: ProbeTarget, timeoutMs: number): Promise<string | undefined> {
  const { httpGet, tcpSocket, grpc, exec } = probe
  if (httpGet !== undefined) return httpFailure(httpGet, target, timeoutMs)
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
  const { ports = [] } = container
  const isNumber = typeof port === 'number' || /^\d+$/.test(port ?? '')
  const named = isNumber ? Number(port) : ports.find(({ name }) => name === port)?.containerPort
  if (named === undefined && port !== undefined && port !== '') throw new Error(`couldn't find port "${port}"`)
  const containerPort = named === undefined || named === 0 ? ports[0]?.containerPort : named
  const reached = containerPort === undefined ? workload.port : (workload.portOf(containerPort) ?? containerPort)
  return { host: host === undefined || host === '' ? workload.host : host, port: reached }
}

function httpFailure(
  { host, path = '/', port, scheme, httpHeaders = [] }: NonNullable<Probe['httpGet']>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<string | undefined> {
  const place = placeOf(host, port, target)
  const given = Object.fromEntries(httpHeaders.map(({ name = '', value = '' }) => [name.toLowerCase(), value]))
  const options: RequestOptions = {
    ...place,
    path: path.startsWith('/') ? path : `/${path}`,
    headers: { 'user-agent': userAgent, accept: '*/*', connection: 'close', ...given },
    agent: false,
  }
  return new Promise((resolve) => {
    // Probes do not check certificates: what matters is whether the program answers.
    const request =
      scheme?.toUpperCase() === 'HTTPS' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
    const cancel = target.clock.setTimer(timeoutMs, () => {
      request.destroy(new Error(`no answer within ${timeoutMs} ms`))
    })
    const done = (failure?: string): void => {
      cancel()
      resolve(failure)
      request.destroy()
    }
    request.on('error', (error) => done(`Get "${pathOf(options)}": ${error.message}`))
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 400) return done()
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        if (body.length < bodyCharactersMax) body += text
      })
      response.on('close', () => {
        const said = body === '' ? '' : `: ${body.slice(0, bodyCharactersMax).trim()}`
        done(`HTTP probe failed with statuscode: ${statusCode}${said}`)
      })
    })
    request.end()
  })
}

const pathOf = ({ host, port, path }: RequestOptions): string => `${host}:${port}${path}`

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
      'user-agent': userAgent,
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
    const name = Buffer.from(service)
    const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name])
    const head = Buffer.alloc(5)
    head.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([head, message]))
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
