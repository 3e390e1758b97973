import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { EngineFinder } from './engine.ts'
import { json, startTestEngine } from './test-engine.ts'

const bridge = json({ IPAM: { Config: [{ Gateway: 'fe80::1' }, { Gateway: '172.17.0.1' }] } })

test('no socket is no engine, and costs nothing to know', () => {
  using finder = new EngineFinder(new FakeClock(), { DOCKER_HOST: 'unix:///nonexistent/engine.sock' })
  assert.match(finder.objection()!, /no container engine is running here \(Docker or Podman\)/)
})

test('an engine that does not answer is named, and asked again after a while', async () => {
  await using engine = await startTestEngine({ 'GET /_ping': json('OK'), 'GET /info': json({}) })
  const { path } = engine.address
  const clock = new FakeClock()
  using finder = new EngineFinder(clock, { DOCKER_HOST: `unix://${path}.dead` })
  await writeFile(`${path}.dead`, '')
  assert.equal(finder.objection(), undefined, 'a socket may answer')
  await assert.rejects(finder.find(), { code: 'WORKLOAD_FAILED', message: /engine\.sock\.dead.*does not answer/ })
  assert.match(finder.objection()!, /engine\.sock\.dead/)
  await clock.advance(10_000)
  assert.equal(finder.objection(), undefined)
  await rm(`${path}.dead`)
})

test('the engine says how its containers reach this machine, and how they are reached', async () => {
  const linux = process.platform === 'linux'
  const network = async (info: object, more: Parameters<typeof startTestEngine>[0] = {}) => {
    const answers = { 'GET /_ping': json('OK'), 'GET /info': json(info), 'GET /networks/bridge': bridge, ...more }
    await using engine = await startTestEngine(answers)
    using finder = new EngineFinder(new FakeClock(), { DOCKER_HOST: `unix://${engine.address.path}` })
    const [first, second] = await Promise.all([finder.find(), finder.find()])
    assert.equal(first, second, 'one search at a time')
    const { mode, reach, hostAddress, needsRelay } = first.network
    return { mode, reach, hostAddress, needsRelay }
  }
  const gateway = { mode: 'bridge', hostAddress: '172.17.0.1', needsRelay: true }
  const desktop = { mode: 'bridge', reach: 'published', hostAddress: 'host-gateway', needsRelay: false }
  assert.deepEqual(await network({ OperatingSystem: 'Debian' }), linux ? { ...gateway, reach: 'direct' } : desktop)
  assert.deepEqual(await network({ Rootless: false }), linux ? { ...gateway, reach: 'published' } : desktop)
  assert.deepEqual(await network({ OperatingSystem: 'Docker Desktop' }), desktop)
  const slirp = { 'GET /v4.0.0/libpod/info': json({ host: { slirp4netns: { executable: '/usr/bin/slirp4netns' } } }) }
  assert.deepEqual(
    await network({ Rootless: true }, slirp),
    linux
      ? { mode: 'slirp4netns:allow_host_loopback=true', reach: 'published', hostAddress: '10.0.2.2', needsRelay: false }
      : desktop,
  )
  assert.deepEqual(await network({ Rootless: true }), desktop)
  assert.deepEqual(await network({ SecurityOptions: ['name=rootless'] }), desktop)
})
