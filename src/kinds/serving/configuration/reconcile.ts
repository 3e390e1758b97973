// Makes a Revision of each template, and says which of them is the latest that works.
// Source: knative/serving pkg/reconciler/configuration/configuration.go.
import { messageOf } from '../../../base/errors.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { followServingConfig } from '../../../engine/serving-settings.ts'
import { conditionOf, isReady } from '../../../model/duck/conditions.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { configurationGenerationLabel } from '../../../model/serving/metadata-keys.ts'
import { conflictsWith } from '../../../model/serving/name-conflict.ts'
import { gcConfigMap, readServingConfig } from '../../../model/serving/serving-config.ts'
import { revisionKind } from '../revision/schema.ts'
import type { Revision } from '../revision/schema.ts'
import { collectRevisions, retentionRules } from './collect.ts'
import { makeRevision, revisionName } from './make-revision.ts'
import type { Configuration, ConfigurationStatus } from './schema.ts'

export class ConfigurationReconciler implements Reconciler<Configuration> {
  readonly conditions = { dependents: [] }
  #deps: KindDeps

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(configuration: Configuration, context: ReconcileContext): Promise<void> {
    const status = (configuration.status ??= {})
    const before = conditionOf(configuration, 'Ready')
    const latest = await this.#latestCreated(configuration, context)
    if (latest === undefined) return
    const { name } = latest.metadata
    status.latestCreatedRevisionName = name
    if (status.latestReadyRevisionName !== name) context.conditions.markUnknown('Ready', '', '')
    const { status: ready, message = '' } = conditionOf(latest, 'Ready') ?? {}
    if (ready === 'True' && status.latestReadyRevisionName === undefined) {
      context.event('Normal', 'ConfigurationReady', 'Configuration becomes ready')
    }
    if (ready === 'False') {
      const text = `Revision "${name}" failed with message: ${message}.`
      context.conditions.markFalse('Ready', 'RevisionFailed', text)
      if (before?.status !== 'False' || before.message !== text) tellFailure(status, name, context)
    }
    const revisions = withFresh(context.children<Revision>(revisionKind), latest)
    setLatestReady(configuration, latest, revisions, context)
    await this.#collect(configuration, revisions, context)
  }

  /** The Revision of the template as it is, made now if there is none; `undefined` when its name is taken. */
  async #latestCreated(configuration: Configuration, context: ReconcileContext): Promise<Revision | undefined> {
    const { namespace = '', generation = 1 } = configuration.metadata
    const name = revisionName(configuration)
    const sameGeneration = context
      .children<Revision>(revisionKind)
      .find(({ metadata }) => metadata.labels?.[configurationGenerationLabel] === String(generation))
    const named = context.get<Revision>(revisionKind, namespace, name)
    const isGiven = (configuration.spec.template?.metadata?.name ?? '') !== ''
    const found = isGiven ? named : (sameGeneration ?? named)
    // The cache may not have seen yet what was made a moment ago.
    const stored = found ?? (await this.#create(configuration, context))
    if (stored === undefined) return undefined
    if (!conflictsWith(stored, configuration, readServingConfig(this.#deps.config))) return stored
    markCreationFailed(`revisions.serving.knative.dev "${name}" already exists`, context)
    return undefined
  }

  async #create(configuration: Configuration, context: ReconcileContext): Promise<Revision | undefined> {
    const { client, clock } = this.#deps
    const wanted = makeRevision(configuration, clock.now())
    const { namespace = '', name } = wanted.metadata
    try {
      const created = await client.create(wanted)
      context.event('Normal', 'Created', `Created Revision "${name}"`)
      return created
    } catch (thrown) {
      if (thrown instanceof StatusError && thrown.reason === 'AlreadyExists') {
        return await client.get<Revision>(revisionKind, namespace, name)
      }
      const message = messageOf(thrown)
      context.event('Warning', 'CreationFailed', `Failed to create Revision: ${message}`)
      markCreationFailed(message, context)
      throw thrown
    }
  }

  async #collect(configuration: Configuration, revisions: Revision[], context: ReconcileContext): Promise<void> {
    const { namespace = '' } = configuration.metadata
    const nowMs = this.#deps.clock.now()
    const rules = retentionRules(followServingConfig(gcConfigMap, context))
    const { surplus, nextMs } = collectRevisions(revisions, configuration.status?.latestReadyRevisionName, rules, nowMs)
    for (const { metadata } of surplus) await context.remove(revisionKind, namespace, metadata.name)
    if (nextMs !== undefined) context.requeueAfter(Math.max(0, nextMs - nowMs))
  }
}

function markCreationFailed(message: string, { conditions }: ReconcileContext): void {
  conditions.markFalse('Ready', 'RevisionFailed', `Revision creation failed with message: ${message}.`)
}

function tellFailure({ latestReadyRevisionName }: ConfigurationStatus, name: string, context: ReconcileContext): void {
  if (name === latestReadyRevisionName) {
    context.event('Warning', 'LatestReadyFailed', `Latest ready revision "${name}" has failed`)
  } else context.event('Warning', 'LatestCreatedFailed', `Latest created revision "${name}" has failed`)
}

const withFresh = (cached: Revision[], latest: Revision): Revision[] =>
  cached.some(({ metadata }) => metadata.uid === latest.metadata.uid) ? cached : [...cached, latest]

/**
 * The newest Revision that is ready, of those made since the last one that was: it never goes back, unless to one whose
 * name the template gives.
 */
function setLatestReady(
  configuration: Configuration,
  latest: Revision,
  revisions: readonly Revision[],
  context: ReconcileContext,
): void {
  const status = configuration.status!
  const last = revisions.find(({ metadata }) => metadata.name === status.latestReadyRevisionName)
  const since = last === undefined ? -Infinity : generationOf(last)
  const candidates = revisions
    .filter((revision) => revision === latest || generationOf(revision) >= since)
    .sort((a, b) => Number(b === latest) - Number(a === latest) || generationOf(b) - generationOf(a))
  const ready = candidates.find((each) => isReady(each) && isObserved(each))?.metadata.name
  if (ready === undefined) return
  if (ready !== status.latestReadyRevisionName) {
    status.latestReadyRevisionName = ready
    context.event('Normal', 'LatestReadyUpdate', `LatestReadyRevisionName updated to "${ready}"`)
  }
  if (ready === status.latestCreatedRevisionName) context.conditions.markTrue('Ready')
}

const generationOf = ({ metadata }: Revision): number =>
  Number(metadata.labels?.[configurationGenerationLabel] ?? Number.NaN)

const isObserved = ({ metadata, status }: Revision): boolean => status?.observedGeneration === metadata.generation
