// Connections that are kept between two requests.
import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Lets nobody fall over an error of the request's connection after the answer has ended: between that and the agent's
 * keeping it, Node leaves it without anybody who listens, and a signal that aborts just then would end the process.
 */
export function outliveAnswer(request: ClientRequest): void {
  request.on('socket', (socket: Socket) => {
    // A kept connection comes here with each of its requests.
    if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
  })
}

/** The request itself hears of what concerns it. */
const ignore = (): void => undefined
