// knode up: runs Knode in this process until it is told to stop.
import { readFile } from 'node:fs/promises'
import { settings } from '../../app/config-schema.ts'
import type { Config, Setting } from '../../app/config-schema.ts'
import { KnodeError, messageOf } from '../../base/errors.ts'
import { releaseMemory } from '../../base/memory.ts'
import { openApiClient } from '../api-client.ts'
import { applyManifests, loadManifests } from '../apply-manifests.ts'
import { defineCommand, filesFlag } from '../command.ts'
import type { Flag } from '../command.ts'
import { findConnection } from '../connection.ts'
import { printable } from '../printable.ts'

const settingFlags = Object.fromEntries(
  (settings as readonly Setting[]).map((setting) => [setting.flag, flagOf(setting)]),
)

export const command = defineCommand({
  name: 'up',
  summary: 'Run Knode here, until Ctrl-C',
  usage: '',
  positionals: { min: 0, max: 0 },
  details:
    'When everything is up, one line on standard output says so: knode ready api=URL gateway=URL kubeconfig=PATH.\n' +
    'Manifests named with -f are applied before. The log goes to standard error.',
  examples: ['knode up', 'knode up -f manifests/ --api-port 0 --gateway-port 0', 'knode up --memory'],
  flags: {
    ...filesFlag,
    config: { type: 'text', value: 'FILE', description: 'file with settings, see knode config explain' },
    ...settingFlags,
  },
  async run({ flags }, { terminal, env, signal }) {
    const named = flags as unknown as Readonly<Record<string, string | boolean | undefined>>
    const files = flags as unknown as { filename: string[]; recursive: boolean }
    const config = await readConfig(named, env)
    const { manifests, problems } =
      files.filename.length > 0 ? await loadManifests(files, terminal) : { manifests: [], problems: [] }
    if (problems.length > 0) return 1

    const { startKnode } = await import('../../app/start-knode.ts')
    await using running = await startKnode(config)
    if (signal.aborted) return 0
    if (manifests.length > 0) {
      const connection = await findConnection({ kubeconfig: running.kubeconfigPath }, {})
      using client = openApiClient({
        ...connection,
        signal,
        warn: (text) => terminal.err(`Warning: ${printable(text)}\n`),
      })
      // Standard output is for the one line that machines read.
      const quiet = { ...terminal, out: terminal.err }
      const failures = await applyManifests(manifests, { client, terminal: quiet }).catch((error: unknown) => {
        if (!signal.aborted) throw error
        return 0
      })
      if (signal.aborted) return 0
      if (failures > 0) return 1
    }
    // The process may rest for days: it should not hold what it needed to start.
    releaseMemory()
    const { apiUrl, gatewayUrl, kubeconfigPath } = running
    terminal.out(`knode ready api=${apiUrl} gateway=${gatewayUrl} kubeconfig=${kubeconfigPath}\n`)
    await aborted(signal)
    if (terminal.showsProgress) terminal.err('\nknode: finishing what was taken, Ctrl-C again to stop at once\n')
  },
})

function flagOf({ type, description, choices, unit, default: standard }: Setting): Flag {
  const text = `${description} (default ${String(standard)}${unit === undefined ? '' : ` ${unit}`})`
  // Absent, it leaves the choice to the variable and the file.
  if (type === 'boolean') return { type: 'boolean', leavesOpen: true, description }
  // The settings' own parser checks values, so that files and variables are told alike.
  return {
    type: 'text',
    value: choices === undefined ? (type === 'integer' ? 'N' : 'TEXT') : choices.join('|'),
    description: text,
  }
}

async function readConfig(
  flags: Readonly<Record<string, string | boolean | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  const { parseConfig } = await import('../../app/config.ts')
  const path = flags['config'] ?? env['KNODE_CONFIG']
  if (typeof path !== 'string' || path === '') return parseConfig({ flags, env })
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KnodeError('BAD_CONFIG', `cannot read the config file: ${messageOf(cause)}`, { cause })
  })
  return parseConfig({ flags, env, file: { path, text } })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    // A pending promise keeps no process alive: servers do.
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
