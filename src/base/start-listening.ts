// A server that begins to listen, and outlives what goes wrong with it afterwards.
import type { ListenOptions, Server } from 'node:net'

/**
 * Resolves when the server listens. What fails later, such as accepting a connection while files are short, is told to
 * `onError`: an `error` that nobody hears would end the process.
 * @throws {Error} of the system, such as EADDRINUSE
 */
export function startListening(server: Server, where: ListenOptions, onError: (error: Error) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      server.on('error', onError)
      resolve()
    })
  })
}
