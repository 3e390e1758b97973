// Makes a ServerlessService real: its core Services, and whether there are instances behind them. Requests reach these by
// the Revision's door, whatever the mode; the mode says what upstream would do. Source: knative/serving
// pkg/reconciler/serverlessservice/serverlessservice.go.
import { ReadyCount } from '../../../engine/autoscaling/ready-count.ts'
import { kindIdOf } from '../../../engine/children.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import type { Service } from '../../core/service/schema.ts'
import { makePrivateService, makePublicService } from './core-services.ts'
import type { ServerlessService } from './schema.ts'

const endpoints = 'EndpointsPopulated'
const activatorEndpoints = 'ActivatorEndpointsPopulated'

export class ServerlessServiceReconciler implements Reconciler<ServerlessService> {
  readonly conditions = { dependents: [endpoints], info: [activatorEndpoints] }
  #pods: KindDeps['pods']

  constructor({ pods }: Pick<KindDeps, 'pods'>) {
    this.#pods = pods
  }

  async reconcile(owner: ServerlessService, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { namespace = '' } = owner.metadata
    const { apiVersion = '', kind = '', name = '' } = owner.spec.objectRef
    const deployment = context.get<Deployment>(kindIdOf({ apiVersion, kind }), namespace, name)
    if (deployment === undefined) {
      await context.workers.stopAll()
      return conditions.markUnknown(endpoints, 'NoHealthyBackends', `There is no ${kind} "${name}".`)
    }
    const selector = deployment.spec.selector?.matchLabels ?? {}
    const status = (owner.status ??= {})
    status.privateServiceName = await applyOwn(owner, makePrivateService(owner, selector), context)
    status.serviceName = await applyOwn(owner, makePublicService(owner), context)

    await context.workers.ensure('pods', { namespace, selector }, (spec) =>
      Promise.resolve(this.#follow(spec, context)),
    )
    const isServing = this.#pods.select(namespace, selector).some(({ isReady }) => isReady)
    if (isServing) conditions.markTrue(endpoints)
    else conditions.markUnknown(endpoints, 'NoHealthyBackends', 'K8s Service is not ready')
    const told = ['ActivatorEndpointsPopulated', 'Revision is backed by Activator'] as const
    if (!isServing || owner.spec.mode === 'Proxy') conditions.markTrue(activatorEndpoints, ...told)
    else conditions.markFalse(activatorEndpoints, ...told)
  }

  /** Looks again when the first instance is ready, or the last one is no more. */
  #follow(
    { namespace, selector }: { namespace: string; selector: Record<string, string> },
    context: ReconcileContext,
  ): AsyncDisposable {
    let wasServing = false
    const ready = new ReadyCount(this.#pods, namespace, () => {
      const isServing = ready.count > 0
      if (isServing !== wasServing) context.requeue()
      wasServing = isServing
    })
    ready.follow(selector)
    wasServing = ready.count > 0
    return {
      [Symbol.asyncDispose]() {
        ready[Symbol.dispose]()
        return Promise.resolve()
      },
    }
  }
}

/** The Service's name. @throws when there is one of that name, and it is somebody else's. */
async function applyOwn(owner: ServerlessService, service: Service, context: ReconcileContext): Promise<string> {
  const { name, namespace = '' } = service.metadata
  const existing = context.get<Service>('Service', namespace, name)
  if (existing !== undefined && controllerOf(existing)?.uid !== owner.metadata.uid) {
    const message = `Resource ${name} of type Service is not owned by SKS`
    context.conditions.markFalse(endpoints, 'NotOwned', message)
    throw new Error(`SKS: ${owner.metadata.name} does not own Service: ${name}`)
  }
  await context.apply(service)
  return name
}
