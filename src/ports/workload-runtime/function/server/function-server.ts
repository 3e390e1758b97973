// The program of a function's process. It warms up, is told by Knode what function it becomes, imports it and serves it.
import { createServer, get } from 'node:http'
import type { Server } from 'node:http'
import { enableCompileCache, flushCompileCache, stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { startListening } from '../../../../base/start-listening.ts'
import { createLog } from './function-log.ts'
import { loadFunction } from './load-function.ts'
import type { UserFunction } from './load-function.ts'
import { functionListener } from './function-listener.ts'
import type { HandOver, Report } from './protocol.ts'

/** Requests that run when the process is asked to end may finish; Knode kills it after the grace it was given. */
const shutdownCheckMs = 50

enableCompileCache()
// Knode gone means nobody asks any more, and nobody would end this process.
process.once('disconnect', () => process.exit(1))
const handedOver = new Promise<HandOver>((resolve) => process.once('message', (given: HandOver) => resolve(given)))
await warmUp()
report('warm')
await become(await handedOver)

/** Makes the engine compile now what the first request and the first import need. */
async function warmUp(): Promise<void> {
  const sample: UserFunction = { handle: () => 'warm' }
  const server = createServer(functionListener(sample, createLog('silent')))
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  for (const headers of [{}, { 'ce-id': '1', 'ce-source': '/', 'ce-type': 't', 'ce-specversion': '1.0' }]) {
    await new Promise<void>((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, headers, agent: false }, (response) => {
        response.resume()
        response.once('end', resolve)
      })
      request.once('error', reject)
    })
  }
  server.close()
  loadTypeStripping()
}

/** Node warns of calling this by hand as experimental; what functions use it for, importing TypeScript, is not. */
function loadTypeStripping(): void {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  stripTypeScriptTypes('const warm: number = 1')
  process.emitWarning = emitWarning
}

async function become({ file, cwd, port, env }: HandOver): Promise<void> {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  // What a program started with `node FILE` would see.
  process.argv[1] = file
  try {
    const userFunction = await loadFunction(pathToFileURL(file).href)
    const server = createServer(functionListener(userFunction, createLog(process.env['FUNC_LOG_LEVEL'] ?? 'info')))
    // Clients close idle connections: closing them here would race with their next request.
    server.keepAliveTimeout = 0
    await listen(server, port)
    report('listening')
    endOnSignal(server, userFunction)
    flushCompileCache()
  } catch (thrown) {
    console.error(thrown)
    process.exit(1)
  }
}

function endOnSignal(server: Server, { shutdown }: UserFunction): void {
  process.once('SIGTERM', () => {
    // Kept connections go as soon as they are idle; new ones are refused.
    const sweep = setInterval(() => server.closeIdleConnections(), shutdownCheckMs)
    server.close(() => {
      clearInterval(sweep)
      void Promise.resolve(shutdown?.()).then(
        () => process.exit(0),
        (thrown: unknown) => {
          console.error(thrown)
          process.exit(1)
        },
      )
    })
    server.closeIdleConnections()
  })
}

function listen(server: Server, port: number): Promise<void> {
  return startListening(server, { host: '127.0.0.1', port }, (error) => console.error(error))
}

function report(news: Report): void {
  process.send!(news)
}
