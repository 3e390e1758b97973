// A connection that leaves HTTP, as WebSockets do: its bytes pass between client and program as they are.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { requestHeaders } from './forwarded-headers.ts'

/** Longest wait for the connection to the program, in milliseconds. */
const connectMs = 10_000

/** Connects `socket` with the program at `host` and `port`, beginning with `request` itself. Ends with either side. */
export function openTunnel(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { host, port }: { host: string; port: number },
): Socket {
  const program = connect({ host, port, timeout: connectMs })
  let isConnected = false
  const fail = (): void => {
    if (isConnected) socket.destroy()
    else socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n')
    program.destroy()
  }
  program.on('error', fail)
  program.on('timeout', fail)
  program.on('connect', () => {
    isConnected = true
    program.setTimeout(0)
    program.write(`${requestHead(request)}\r\n`, 'latin1')
    if (head.length > 0) program.write(head)
    program.once('data', (answer: Buffer) => {
      // A program that declines goes on speaking HTTP, but requests find their way through the gateway only.
      if (/^HTTP\/1\.[01] 101 /.test(answer.subarray(0, 13).toString('latin1'))) return
      socket.unpipe(program)
      socket.resume()
    })
    program.pipe(socket)
    socket.pipe(program)
  })
  socket.on('close', () => program.destroy())
  return program
}

function requestHead(request: IncomingMessage): string {
  const headers = requestHeaders(request, { upgrade: true })
  let text = `${request.method} ${request.url} HTTP/1.1\r\n`
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
  return text
}
