import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText, engineAddresses } from './engine-address.ts'

const found = (env: Record<string, string>): string[] => engineAddresses(env).map(addressText)

test('DOCKER_HOST rules out all other addresses', () => {
  assert.deepEqual(found({ DOCKER_HOST: 'unix:///tmp/x.sock', HOME: '/home/a' }), ['unix:///tmp/x.sock'])
  assert.deepEqual(found({ DOCKER_HOST: 'tcp://10.0.0.1:2375' }), ['tcp://10.0.0.1:2375'])
  assert.deepEqual(found({ DOCKER_HOST: 'tcp://[::1]:2375/' }), ['tcp://::1:2375'])
})

test('an address that Knode cannot speak to is none', () => {
  assert.deepEqual(found({ DOCKER_HOST: 'ssh://somebody@example.com' }), [])
})

test('without it, the sockets of Docker and Podman are tried, those of the user too', () => {
  assert.deepEqual(found({ HOME: '/home/a', XDG_RUNTIME_DIR: '/run/user/7' }), [
    'unix:///var/run/docker.sock',
    'unix:///home/a/.docker/run/docker.sock',
    'unix:///run/user/7/podman/podman.sock',
    'unix:///run/podman/podman.sock',
  ])
})
