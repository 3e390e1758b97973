// Makes a PingSource real: resolves its sink and keeps its schedule running.
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markIdentityDisabled } from '../../../engine/security-conditions.ts'
import { startPing } from './adapter.ts'
import { pingEventSource, pingEventType } from './schema.ts'
import type { PingSource } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/pingsource/pingsource.go. */
export class PingSourceReconciler implements Reconciler<PingSource> {
  readonly conditions = { dependents: ['SinkProvided', 'Deployed', 'OIDCIdentityCreated'] }
  #deps: Pick<KindDeps, 'delivery' | 'clock' | 'random' | 'log'>

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(source: PingSource, context: ReconcileContext): Promise<void> {
    const { conditions, workers } = context
    const status = (source.status ??= {})
    const { spec } = source
    const { name, namespace = '' } = source.metadata
    status.ceAttributes = [{ type: pingEventType, source: pingEventSource(source) }]
    const sink = resolveSink(source, context)
    if (sink === undefined) return workers.stopAll()
    // The adapter runs inside this process.
    conditions.markTrue('Deployed')
    markIdentityDisabled(conditions)
    await workers.ensure(
      'schedule',
      {
        name,
        namespace,
        sink,
        source: pingEventSource(source),
        schedule: spec.schedule ?? '* * * * *',
        ...(spec.timezone === undefined ? {} : { timezone: spec.timezone }),
        ...(spec.contentType === undefined ? {} : { contentType: spec.contentType }),
        ...(spec.data === undefined ? {} : { data: spec.data }),
        ...(spec.dataBase64 === undefined ? {} : { dataBase64: spec.dataBase64 }),
        extensions: spec.ceOverrides?.extensions ?? {},
      },
      (wanted) => Promise.resolve(startPing(wanted, this.#deps)),
    )
  }
}

function resolveSink(source: PingSource, context: ReconcileContext): { url: string } | undefined {
  const status = source.status!
  delete status.sinkUri
  delete status.sinkCACerts
  delete status.sinkAudience
  const { sink = {} } = source.spec
  try {
    const address = context.resolve(sink, source.metadata.namespace ?? '')
    status.sinkUri = address.url
    if (address.CACerts !== undefined) status.sinkCACerts = address.CACerts
    if (address.audience !== undefined) status.sinkAudience = address.audience
    context.conditions.markTrue('SinkProvided')
    return address
  } catch {
    context.conditions.markFalse('SinkProvided', 'NotFound', '')
    context.event('Warning', 'SinkNotFound', `Sink not found: ${JSON.stringify(sink)}`)
    return undefined
  }
}
