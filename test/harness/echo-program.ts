// For tests: a program of its own process that echoes, by HTTP/1.1 and WebSocket's upgrade, or as a gRPC server.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { grpcEcho } from '../../src/engine/request-path/test-http2.ts'

export interface EchoProgram extends AsyncDisposable {
  port: number
  pid: number
}

/** Starts it and resolves when it listens. */
export async function startEchoProgram(protocol: 'http1' | 'h2c'): Promise<EchoProgram> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), protocol], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    port: Number(line.toString()),
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

if (import.meta.main) {
  const server: Server = process.argv[2] === 'h2c' ? createHttp2Server().on('stream', grpcEcho) : webSocketServer()
  // The gateway closes idle connections: after a machine stood still, no request meets one that is closing here.
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 0
  const port = Number(process.env['PORT'] ?? 0)
  server.listen(port, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
}

function webSocketServer(): Server {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'x-host': request.headers.host ?? '' })
    request.pipe(response)
  })
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${webSocketGuid}`).digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
    socket.on('data', (frame: Buffer) => {
      if ((frame[0]! & 0x0f) === closeOpcode) return void socket.end(Buffer.from([0x88, 0]))
      socket.write(Buffer.concat([Buffer.from([0x81, frame[1]! & 0x7f]), unmasked(frame)]))
    })
    socket.on('error', () => undefined)
  })
  return server
}

const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const closeOpcode = 8

/** The text of a short masked frame (RFC 6455 section 5.3). */
const unmasked = (frame: Buffer): Buffer => frame.subarray(6).map((byte, at) => byte ^ frame[2 + (at % 4)]!) as Buffer
