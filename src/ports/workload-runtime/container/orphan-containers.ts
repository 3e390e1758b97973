// Containers that a killed Knode left running, found by their label.
import type { Logger } from '../../../base/log.ts'
import { removeContainer } from './container-workload.ts'
import { labels } from './create-body.ts'
import type { EngineClient } from './engine-client.ts'

/** What an orphan gets between SIGTERM and SIGKILL, in seconds. */
const orphanGraceS = 2

/** Ends and removes every container with this owner's label. @throws the signal's reason when it aborts first */
export async function endOrphanContainers(
  engine: EngineClient,
  owner: string,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  const query = { all: 'true', filters: JSON.stringify({ label: [`${labels.dataDir}=${owner}`] }) }
  const left = await engine.call<{ Id: string; Names?: string[] }[]>('GET', '/containers/json', { query, signal })
  await Promise.all(
    left.map(async ({ Id, Names }) => {
      log.warn('removing a container that an earlier Knode left behind', { name: Names?.[0] ?? Id })
      const stop = { query: { t: String(orphanGraceS) }, signal }
      // One that has ended already, or is just ending, is removed all the same.
      await engine.call('POST', `/containers/${Id}/stop`, stop).catch(() => undefined)
      await removeContainer(engine, Id, signal)
    }),
  )
}
