// A program for tests: answers with its TARGET and its pid. `?ms=N` takes that long; `/die` ends it.
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'

let inFlight = 0
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://self')
  if (url.pathname === '/die') process.exit(Number(url.searchParams.get('code') ?? 1))
  inFlight++
  request.resume().on('end', () => {
    void setTimeout(Number(url.searchParams.get('ms') ?? 0)).then(() => {
      response.setHeader('in-flight', inFlight--)
      response.end(`${process.env['TARGET'] ?? 'World'} ${process.pid}\n`)
    })
  })
})
// The gateway closes idle connections: after a machine stood still, no request meets one that is closing here.
server.keepAliveTimeout = 0
server.listen(Number(process.env['PORT'] ?? 8080), () => console.log(`listening for ${process.env['K_REVISION']}`))
process.on('SIGTERM', () => server.close())
