// For tests of controllers: a small world with Lamps, which are reconciled as the test says, and Plugs, which are not.
import type { KResourceStatus } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import type { ReconcileContext, Reconciler } from '../reconciler.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import type { SmallWorld, SmallWorldOptions } from './small-world.ts'

/** What a test does for a Lamp. */
export type Reconcile = (
  lamp: Resource & { spec: { watts?: number }; status?: KResourceStatus & { lit?: boolean } },
  context: ReconcileContext,
) => Promise<void> | void

export const lampId = 'Lamp.test.knode.dev'

/** A world in which Lamps are reconciled like this. */
export async function lampWorld(
  reconcile: Reconcile,
  more: Partial<Reconciler> = {},
  options: Partial<SmallWorldOptions> & { kind?: Partial<KindDefinition> } = {},
): Promise<SmallWorld> {
  const reconciler: Reconciler = {
    conditions: { dependents: ['Lit'] },
    reconcile: async (object, context) => await reconcile(object as never, context),
    ...more,
  }
  const world = await startSmallWorld({
    ...options,
    kinds: [aKind('Lamp', reconciler, options.kind), aKind('Plug'), ...(options.kinds ?? [])],
  })
  await world.settled()
  return world
}

/** A Lamp of 40 watts. */
export const desk = (more: Parameters<typeof anObject>[2] = {}): Resource =>
  anObject('Lamp', 'desk', { spec: { watts: 40 }, ...more })
/** The Lamp `desk` as it is stored. */
export const stored = (world: SmallWorld): Promise<(Resource & { status?: KResourceStatus }) | undefined> =>
  world.client.get(lampId, 'shop', 'desk')
/** All is well with a Lamp. */
export const light: Reconcile = (_, { conditions }) => conditions.markTrue('Lit')
