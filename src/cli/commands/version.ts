// knode version: which Knode this is, and which one answers.
import { knodeVersion } from '../../app/version.ts'
import { KnodeError } from '../../base/errors.ts'
import { connectionFlags, defineCommand } from '../command.ts'

export const command = defineCommand({
  name: 'version',
  summary: 'Print the version of this program and of the running Knode',
  usage: '',
  positionals: { min: 0, max: 0 },
  examples: ['knode version', 'knode version -o json'],
  flags: {
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['json'], description: 'form' },
    ...connectionFlags,
  },
  async run({ flags }, { terminal, connect }) {
    const server = await runningVersion(connect)
    if (flags.output === 'json') {
      const versions = { knode: knodeVersion, node: process.versions.node, ...(server !== undefined && { server }) }
      return terminal.out(`${JSON.stringify(versions)}\n`)
    }
    terminal.out(`knode ${knodeVersion} (Node ${process.versions.node})\n`)
    terminal.out(
      server === undefined ? 'no running Knode found\n' : `running at ${server.url}, Kubernetes API ${server.api}\n`,
    )
  },
})

async function runningVersion(
  connect: () => Promise<{ server: string; call: (request: { path: string }) => Promise<{ body: unknown }> }>,
) {
  try {
    const client = await connect()
    const { body } = await client.call({ path: '/version' })
    return { url: client.server, api: (body as { gitVersion?: string }).gitVersion ?? 'unknown' }
  } catch (error) {
    if (error instanceof KnodeError && error.code === 'API_UNREACHABLE') return undefined
    throw error
  }
}
