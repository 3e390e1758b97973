// knode apply: manifests become objects.
import { applyManifests, loadManifests } from '../apply-manifests.ts'
import { connectionFlags, defineCommand, filesFlag, namespaceFlag } from '../command.ts'

export const command = defineCommand({
  name: 'apply',
  summary: 'Create or change objects as manifests say',
  usage: '-f FILE...',
  positionals: { min: 0, max: 0 },
  details: 'Server-side apply as field manager "knode". What is wrong is told with file and document, all at once.',
  examples: ['knode apply -f broker.yaml', 'knode apply -f manifests/ -R', 'cat trigger.yaml | knode apply -f -'],
  flags: {
    ...filesFlag,
    ...namespaceFlag,
    'force-conflicts': { type: 'boolean', description: 'take over fields that others have set' },
    'dry-run': { type: 'boolean', description: 'let the server check everything, but store nothing' },
    ...connectionFlags,
  },
  async run({ flags }, { terminal, connect }) {
    const { manifests, problems } = await loadManifests(flags, terminal)
    if (manifests.length === 0) return 1
    const failures = await applyManifests(manifests, {
      client: await connect(),
      terminal,
      namespace: flags.namespace,
      dryRun: flags['dry-run'],
      forceConflicts: flags['force-conflicts'],
    })
    return failures + problems.length > 0 ? 1 : 0
  },
})
