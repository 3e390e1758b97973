import assert from 'node:assert/strict'
import test from 'node:test'
import { settings } from './config-schema.ts'
import { explainConfig, parseConfig } from './config.ts'

test('without anything given every setting has its default', () => {
  const config = parseConfig() as Record<string, unknown>
  for (const { name, default: value } of settings) assert.equal(config[name], value)
  assert.ok(Object.isFrozen(config))
})

test('a flag beats the environment, and the environment beats the file', () => {
  const file = { path: 'knode.yaml', text: 'apiPort: 1\ngatewayPort: 2\ngraceMs: 3\n' }
  const config = parseConfig({
    file,
    env: { KNODE_API_PORT: '10', KNODE_GATEWAY_PORT: '20' },
    flags: { 'api-port': '100' },
  })
  assert.deepEqual([config.apiPort, config.gatewayPort, config.graceMs], [100, 20, 3])
})

test('a switch that is denied by flag is off, whatever the environment and the file say', () => {
  const file = { path: 'knode.yaml', text: 'memory: true\n' }
  assert.equal(parseConfig({ file, env: { KNODE_MEMORY: 'true' }, flags: { memory: false } }).memory, false)
  assert.equal(parseConfig({ file, env: { KNODE_MEMORY: 'false' }, flags: { memory: true } }).memory, true)
  assert.equal(parseConfig({ file, env: { KNODE_MEMORY: 'false' }, flags: { memory: undefined } }).memory, false)
})

test('an empty variable is as good as none: it neither switches on nor is wrong', () => {
  const file = { path: 'knode.yaml', text: 'apiPort: 1\n' }
  const config = parseConfig({ file, env: { KNODE_MEMORY: '', KNODE_HOST: '', KNODE_API_PORT: '' } })
  assert.deepEqual([config.memory, config.host, config.apiPort], [false, '127.0.0.1', 1])
})

test('all bad settings are told at once, with where they stand', () => {
  const file = { path: 'knode.yaml', text: 'apiPrt: 1\nmemory: perhaps\n' }
  const attempt = (): unknown => parseConfig({ file, flags: { 'api-port': '70000', 'log-format': 'xml' } })
  assert.throws(attempt, (thrown: Error & { code: string }) => {
    assert.equal(thrown.code, 'BAD_CONFIG')
    assert.deepEqual(thrown.message.split('\n').sort(), [
      '--api-port: expected a whole number from 0 to 65535, got "70000"',
      '--log-format: expected one of auto, pretty, json, got "xml"',
      'knode.yaml: memory: expected true or false, got "perhaps"',
      'knode.yaml: unknown setting "apiPrt", did you mean "apiPort"?',
    ])
    return true
  })
})

test('a config file that is no YAML is refused with its name', () => {
  assert.throws(() => parseConfig({ file: { path: 'c.yaml', text: '{' } }), /^KnodeError: c\.yaml: /)
})

test('the explanation names every setting, flag and variable', () => {
  const text = explainConfig()
  for (const { name, flag } of settings) {
    assert.ok(text.includes(`\n${name}\n`) || text.startsWith(`${name}\n`))
    assert.ok(text.includes(`--${flag} `))
  }
  assert.ok(text.includes('KNODE_GATEWAY_PORT'))
})
