// A container engine that answers what a test says, on a socket of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineAddress } from './engine-address.ts'

export interface TestEngine extends AsyncDisposable {
  address: EngineAddress & { kind: 'unix' }
  /** Requests as `METHOD /path?query`, in order. */
  asked: string[]
}

/** `answers` has a function for the beginning of `METHOD /path`; everything else is answered 404, as engines do. */
export async function startTestEngine(
  answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void>,
): Promise<TestEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'knode-engine-'))
  const path = join(folder, 'engine.sock')
  const asked: string[] = []
  const server = createServer((request, response) => {
    const line = `${request.method} ${decodeURIComponent(request.url ?? '')}`
    asked.push(line)
    request.resume()
    const answer = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1]
    if (answer !== undefined) return answer(request, response)
    response.writeHead(404).end(JSON.stringify({ message: `nothing here: ${line}` }))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    address: { kind: 'unix', path },
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Answers with this as JSON. */
export const json =
  (value: unknown) =>
  (_request: IncomingMessage, response: ServerResponse): void =>
    void response.end(JSON.stringify(value))
