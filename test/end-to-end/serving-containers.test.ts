// Services as containers, with a real Podman: what processes stand, containers stand.
import test from 'node:test'
import { startPodman } from '../harness/podman.ts'
import { burstFromZero, canaryAndRollback } from '../harness/serving-scenarios.ts'
import { inAWorld } from '../harness/serving-world.ts'

/** As test/harness/apps/hello.ts. */
const hello = `
const { createServer } = require('node:http')
const server = createServer((request, response) => {
  const ms = Number(new URL(request.url, 'http://self').searchParams.get('ms') ?? 0)
  request.resume().on('end', () => setTimeout(() => response.end(process.env.TARGET + ' ' + process.pid + '\\n'), ms))
})
server.keepAliveTimeout = 0
server.listen(Number(process.env.PORT))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`
const image = 'localhost/knode-test/hello:v1'

test('a Service whose instances are containers', async (t) => {
  await using podman = await startPodman(t)
  if (podman === undefined) return
  await podman.build(image, hello)
  process.env['DOCKER_HOST'] = podman.dockerHost
  await t.test(
    'serves 100 requests that find it at zero, and goes back to zero',
    inAWorld((world) => burstFromZero(world, { image }, 100)),
  )
  await t.test(
    'gives a canary its tenth, and rolls back without losing a request',
    inAWorld((world) => canaryAndRollback(world, { image })),
  )
})
