// knode kubeconfig: where the key to the running Knode is.
import { readFile } from 'node:fs/promises'
import { KnodeError } from '../../base/errors.ts'
import { connectionFlags, defineCommand } from '../command.ts'
import { kubeconfigPath } from '../connection.ts'

const { kubeconfig, 'data-dir': dataDir } = connectionFlags

export const command = defineCommand({
  name: 'kubeconfig',
  summary: 'Print the path of the kubeconfig, for kubectl and kn',
  usage: '',
  positionals: { min: 0, max: 0 },
  examples: ['export KUBECONFIG=$(knode kubeconfig)', 'knode kubeconfig --raw > ~/.kube/knode'],
  flags: {
    raw: { type: 'boolean', description: 'print its content, token included, instead of its path' },
    kubeconfig,
    'data-dir': dataDir,
  },
  async run({ flags }, { terminal, env }) {
    const { path } = kubeconfigPath(flags, env)
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (cause) {
      throw new KnodeError('API_UNREACHABLE', `there is no kubeconfig ${path}`, {
        cause,
        hint: 'knode up writes one; name its directory with --data-dir',
      })
    }
    terminal.out(flags.raw ? text : `${path}\n`)
  },
})
