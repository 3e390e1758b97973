import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { openWorkloadRuntime } from './open.ts'
import type { WorkloadSpec } from './port.ts'

const spec = (more: Partial<WorkloadSpec>): WorkloadSpec => ({
  name: 'a',
  namespace: 'default',
  image: 'gcr.io/knative-samples/helloworld-go',
  env: {},
  ...more,
})

// A socket that is not there: no engine of this machine is to be found.
const env = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' }
const open = () => openWorkloadRuntime({ clock: systemClock, random: systemRandom, log: silentLogger, env })

test('a command is run even where the image is built in', async () => {
  await using runtime = await open()
  const workload = await runtime.start(spec({ processCommand: 'echo from the command' }))
  await workload.exited
  const lines = []
  for await (const { text } of runtime.logs('default', 'a')!) lines.push(text)
  assert.deepEqual(lines, ['from the command'])
})

test('a built-in image is run inside Knode', async () => {
  await using runtime = await open()
  const { host, port } = await runtime.start(spec({}))
  assert.equal(await (await fetch(`http://${host}:${port}`)).text(), 'Hello World!\n')
})

test('another image is refused with the choices there are', async () => {
  await using runtime = await open()
  const other = spec({ image: 'docker.io/library/nginx:1' })
  const choices = ['nginx:1', 'knode.dev/command', 'knode.dev/function', 'event_display', 'Docker or Podman']
  for (const choice of choices) assert.ok(runtime.objection(other)!.includes(choice), choice)
  await assert.rejects(runtime.start(other), { code: 'WORKLOAD_FAILED', message: /knode\.dev\/command/ })
})
