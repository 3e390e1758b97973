// Asks the gateway by TLS, as a client does whose DNS knows the host and that trusts one authority.
import { connect } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTls } from 'node:tls'

export interface TlsQuestion {
  host: string
  /** PEM. */
  ca: string
  path?: string
}

export interface TlsAnswer {
  status: number
  body: string
}

/** By HTTP/1.1. @throws what TLS says of a handshake that fails, e.g. for want of trust */
export function askByTls(gateway: string, { host, ca, path = '/' }: TlsQuestion): Promise<TlsAnswer> {
  const { hostname, port } = new URL(gateway)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, ca, servername: host, headers: { host }, agent: false })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.end()
  })
}

/** By HTTP/2, as both sides agree on it by ALPN. @throws when they do not */
export function askByHttp2(gateway: string, { host, ca, path = '/' }: TlsQuestion): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect(gateway.replace(/^http:/, 'https:'), { ca, servername: host })
    session.on('error', reject)
    const stream = session.request({ ':authority': host, ':path': path })
    const answer: TlsAnswer = { status: 0, body: '' }
    stream.setEncoding('utf8')
    stream.on('error', reject)
    stream.on('response', (headers) => (answer.status = headers[':status'] ?? 0))
    stream.on('data', (chunk: string) => (answer.body += chunk))
    stream.on('end', () => {
      session.close()
      resolve(answer)
    })
  })
}

/** The serial number of the certificate that is shown for a host. */
export function serialShown(gateway: string, { host, ca }: TlsQuestion): Promise<string> {
  const { hostname, port } = new URL(gateway)
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: hostname, port: Number(port), ca, servername: host })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
  })
}
