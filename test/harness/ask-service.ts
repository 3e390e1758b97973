// Asks a Service through the gateway by its host, as a client whose DNS knows the name would.
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

export interface ServiceAnswer {
  /** 0 when there was none. */
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Connections that are kept between requests. */
const connections = new Agent({ keepAlive: true, maxSockets: 512 })

export function askService(
  gateway: string,
  host: string,
  path = '/',
  headers: Record<string, string> = {},
): Promise<ServiceAnswer> {
  const { hostname, port } = new URL(gateway)
  return new Promise((resolve) => {
    const asked = request({ hostname, port, path, headers: { ...headers, host }, agent: connections })
    asked.on('error', (error) => resolve({ status: 0, headers: {}, body: error.message }))
    asked.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', (error) => resolve({ status: 0, headers: {}, body: error.message }))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asked.end()
  })
}
