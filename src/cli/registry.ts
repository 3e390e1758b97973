// Every command, in the order of the help. Each is loaded when it is called.
import type { Command } from './command.ts'

export const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  up: () => import('./commands/up.ts'),
  apply: () => import('./commands/apply.ts'),
  delete: () => import('./commands/delete.ts'),
  get: () => import('./commands/get.ts'),
  describe: () => import('./commands/describe.ts'),
  explain: () => import('./commands/explain.ts'),
  wait: () => import('./commands/wait.ts'),
  send: () => import('./commands/send.ts'),
  tail: () => import('./commands/tail.ts'),
  logs: () => import('./commands/logs.ts'),
  streams: () => import('./commands/streams.ts'),
  replay: () => import('./commands/replay.ts'),
  cesql: () => import('./commands/cesql.ts'),
  filter: () => import('./commands/filter.ts'),
  kubeconfig: () => import('./commands/kubeconfig.ts'),
  config: () => import('./commands/config.ts'),
  version: () => import('./commands/version.ts'),
}
