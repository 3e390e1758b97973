// Bodies go through the door as fast as they are read, both ways at once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { limit, openDoor, read, until } from '../../../test/harness/revision-door.ts'
import { setUp } from './test-http2-door.ts'
import { readH2c, startH2cProgram } from './test-http2.ts'

describe('what a slow reader holds back', limit, () => {
  const chunk = Buffer.alloc(65_536)
  const chunksMax = 500

  it('is not read of the program either, by HTTP/2', async () => {
    let written = 0
    await using program = await startH2cProgram((stream) => {
      stream.respond({ ':status': 200 })
      const push = (): void => {
        while (written < chunksMax) {
          written++
          if (!stream.write(chunk)) return void stream.once('drain', push)
        }
        stream.end()
      }
      push()
    })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const stream = set.client.request({})
    await once(stream, 'response')
    stream.pause()
    let before = -1
    while (written !== before) {
      before = written
      await settle(200)
    }
    assert.ok(written < chunksMax / 4, `${written} of ${chunksMax} pieces were written to a client that reads nothing`)
    // Others on the same connections are not held up.
    const { status } = await readH2c(set.client.request({ ':method': 'HEAD' }))
    assert.equal(status, 200)
    stream.resume()
    await once(stream, 'close')
  })

  it('is not read of the client either, by HTTP/1.1 and HTTP/2', async () => {
    for (const protocol of ['http1', 'h2c'] as const) {
      let resume = (): void => undefined
      let bytes = 0
      const count = (piece: Buffer): void => void (bytes += piece.length)
      await using program = await startH2cProgram((stream) => {
        stream.pause()
        resume = () => void stream.on('data', count).resume()
        stream.on('end', () => stream.respond({ ':status': 204 }, { endStream: true }))
      })
      await using test = await openDoor({ protocol })
      const handle: RequestListener = (request, response) => {
        request.pause()
        resume = () => void request.on('data', count).resume()
        request.on('end', () => response.writeHead(204).end())
      }
      await test.addPod(protocol === 'h2c' ? { port: program.port } : { handle })
      const request = httpRequest({ host: '127.0.0.1', port: test.port, method: 'POST', agent: false })
      let written = 0
      const push = (): void => {
        while (written < chunksMax) {
          written++
          if (!request.write(chunk)) return void request.once('drain', push)
        }
        request.end()
      }
      push()
      let before = -1
      while (written !== before) {
        before = written
        await settle(200)
      }
      assert.ok(
        written < chunksMax / 2,
        `${protocol}: ${written} of ${chunksMax} pieces for a program that reads nothing`,
      )
      resume()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      await read(response)
      assert.equal(bytes, chunksMax * chunk.length)
    }
  })
})

describe('full duplex', limit, () => {
  it('an answer begins before the body has ended, by HTTP/1.1 too', async () => {
    await using test = await openDoor()
    await test.addPod({
      handle(request, response) {
        response.flushHeaders()
        request.on('data', (data: Buffer) => response.write(data))
        request.on('end', () => response.end())
      },
    })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, method: 'POST', agent: false })
    request.write('a')
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let text = ''
    response.on('data', (data: Buffer) => (text += data.toString()))
    await until(() => text === 'a')
    for (const piece of ['b', 'c']) {
      const before = text.length
      request.write(piece)
      await until(() => text.length > before)
    }
    request.end()
    await once(response, 'end')
    assert.equal(text, 'abc')
  })
})
