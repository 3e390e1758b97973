// Which images the containers of a Revision run: asked once, and kept in its status.
import { KnodeError, messageOf } from '../../../base/errors.ts'
import { credentialsOf } from '../../../engine/pods/workload-spec.ts'
import type { KindDeps, ReconcileContext } from '../../../engine/reconciler.ts'
import { podAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import type { Container } from '../../../model/serving/container-schema.ts'
import { isDigestReference, registryOf } from '../../../model/serving/image-reference.ts'
import { digestTimeoutMs, skippedRegistries } from '../../../model/serving/serving-config.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import type { WorkloadSpec } from '../../../ports/workload-runtime/port.ts'
import { DigestLookup } from './digest-lookup.ts'
import type { LookupState } from './digest-lookup.ts'
import type { ContainerStatus, Revision } from './schema.ts'
import { isServing } from './serving-container.ts'

const workerName = 'digests'

export class ImageDigests {
  #deps: Pick<KindDeps, 'runtime' | 'clock'>
  /** Those that are under way, by uid of the Revision. */
  #lookups = new Map<string, DigestLookup>()

  constructor(deps: Pick<KindDeps, 'runtime' | 'clock'>) {
    this.#deps = deps
  }

  /**
   * Fills in the status once all is known; reconciles again when that comes to be.
   * @param config ConfigMap `config-deployment`
   */
  async lookUp(revision: Revision, config: ConfigData, context: ReconcileContext): Promise<LookupState> {
    const { containers = [], initContainers = [] } = revision.spec
    const status = (revision.status ??= {})
    const all = [...initContainers, ...containers]
    const known = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
    if (known.length === all.length) return { phase: 'found', digests: new Map() }

    const skipped = skippedRegistries(config)
    const given = (container: Container): string | undefined => {
      const { image = '' } = container
      if (runsWithoutImage(container, revision) || skipped.has(registryOf(image))) return ''
      return isDigestReference(image) ? image : undefined
    }
    const unknown = all.filter((container) => given(container) === undefined)
    const state = await this.#state(revision, unknown, config, context)
    if (state.phase !== 'found') return state
    const statusOf = (container: Container): ContainerStatus => {
      const { name = '', image = '' } = container
      return { name, imageDigest: given(container) ?? state.digests.get(image) ?? '' }
    }
    status.containerStatuses = containers.map(statusOf)
    if (initContainers.length > 0) status.initContainerStatuses = initContainers.map(statusOf)
    await context.workers.stop(workerName)
    return state
  }

  async #state(
    revision: Revision,
    unknown: readonly Container[],
    config: ConfigData,
    context: ReconcileContext,
  ): Promise<LookupState> {
    if (unknown.length === 0) return { phase: 'found', digests: new Map() }
    const { uid = '', namespace = '' } = revision.metadata
    const imageCredentials = credentialsOf(revision.spec, (kind, name) => context.get(kind, namespace, name))
    const timeoutMs = digestTimeoutMs(config)
    const containers = unknown.map((container) => ({ ...workloadOf(container, revision), imageCredentials }))
    await context.workers.ensure(workerName, { containers, timeoutMs }, (spec) => {
      const ask = (container: WorkloadSpec): Promise<string | undefined> => this.#ask(container)
      const lookup = new DigestLookup({ ...spec, ask, onChange: () => context.requeue(), clock: this.#deps.clock })
      this.#lookups.set(uid, lookup)
      return Promise.resolve({
        [Symbol.asyncDispose]: async () => {
          if (this.#lookups.get(uid) === lookup) this.#lookups.delete(uid)
          await lookup[Symbol.asyncDispose]()
        },
      })
    })
    return this.#lookups.get(uid)?.state ?? { phase: 'asking' }
  }

  /** @throws where no instance could be started from the image */
  async #ask(container: WorkloadSpec): Promise<string | undefined> {
    const { runtime } = this.#deps
    const objection = runtime.objection(container)
    if (objection !== undefined) throw new KnodeError('WORKLOAD_FAILED', objection)
    try {
      return await runtime.resolveDigest?.(container)
    } catch (thrown) {
      throw new KnodeError('WORKLOAD_FAILED', `failed to resolve image to digest: ${messageOf(thrown)}`)
    }
  }
}

/** Whether annotations say what to run instead of the container's image. */
function runsWithoutImage({ name, ...rest }: Container, { metadata, spec }: Revision): boolean {
  const { annotations = {} } = metadata
  const { command, functionFile } = podAnnotations
  if (annotations[`${command}.${name}`] !== undefined) return true
  const isMain = isServing(rest, spec.containers ?? []) && (spec.containers ?? []).some((each) => each.name === name)
  return isMain && (annotations[command] ?? annotations[functionFile]) !== undefined
}

/** As much of the workload as matters for its image. */
const workloadOf = ({ name = '', image = '', imagePullPolicy }: Container, { metadata }: Revision): WorkloadSpec => ({
  name: `${metadata.name}_${name}`,
  namespace: metadata.namespace ?? '',
  image,
  env: {},
  ...(imagePullPolicy === undefined ? {} : { imagePullPolicy: imagePullPolicy as 'Always' }),
})
