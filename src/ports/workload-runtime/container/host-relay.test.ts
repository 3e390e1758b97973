import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { createLogger, silentLogger } from '../../../base/log.ts'
import { HostRelay } from './host-relay.ts'

/** An address of this machine that is not the one the gateway listens on, nor anybody else. */
const address = '127.0.0.2'
const patience = AbortSignal.abort()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const ask = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get({ host: address, port, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })

test(
  'those who may reach the gateway through it, all others are turned away',
  { skip: process.platform !== 'linux' },
  async () => {
    const gateway = createServer((_request, response) => response.end('x'.repeat(1_000_000)))
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
    try {
      const { port: gatewayPort } = gateway.address() as AddressInfo
      let isAllowed = true
      const mayUse = async (peer: string): Promise<boolean> => isAllowed && peer.startsWith('127.')
      await using relay = new HostRelay({ clock: systemClock, log: silentLogger, address, gatewayPort, mayUse })
      const port = await freePort()
      await relay.listen(port, patience)
      assert.equal((await ask(port)).length, 1_000_000)
      isAllowed = false
      await assert.rejects(ask(port))
    } finally {
      gateway.closeAllConnections()
      gateway.close()
    }
  },
)

test('an address that is not there is waited for with patience, then told', async () => {
  const lines: string[] = []
  const log = createLogger({ write: (line) => lines.push(line) })
  const mayUse = async (): Promise<boolean> => true
  const missing = '192.0.2.77'
  await using relay = new HostRelay({ clock: systemClock, log, address: missing, gatewayPort: 1, mayUse })
  const waiting = new AbortController()
  const listening = relay.listen(8080, waiting.signal)
  waiting.abort()
  await listening
  assert.match(lines.join(''), /cannot reach the gateway.*192\.0\.2\.77/)
})
