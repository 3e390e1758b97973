// knode config explain: every setting, with its flag, variable, default and meaning.
import { KnodeError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  name: 'config',
  summary: 'Explain every setting of knode up',
  usage: 'explain',
  positionals: { min: 1, max: 1 },
  details: 'Settings come from flags, the environment, and the file named with --config, in this order.',
  examples: ['knode config explain'],
  flags: {},
  async run({ positionals: [word = ''] }, { terminal }) {
    if (word !== 'explain') {
      const close = nearest(word, ['explain'])
      const hint = close === undefined ? 'see: knode config --help' : `did you mean knode config ${close}?`
      throw new KnodeError('USAGE', `knode config has no "${word}"`, { hint })
    }
    const { explainConfig } = await import('../../app/config.ts')
    terminal.out(explainConfig())
  },
})
