// What the data plane has to know of a Revision. Source: knative/serving pkg/reconciler/revision/resources/queue.go.
import type { RevisionDoorSpec } from '../../../engine/serving.ts'
import { configurationLabel, revisionUidLabel, serviceLabel } from '../../../model/serving/metadata-keys.ts'
import type { Revision } from './schema.ts'
import { servingPort, servingProtocol } from './serving-container.ts'

const timeoutSecondsDefault = 300

export function doorSpec({ metadata, spec }: Revision): RevisionDoorSpec {
  const { namespace = '', name, uid = '', labels = {} } = metadata
  const { [serviceLabel]: service, [configurationLabel]: configuration } = labels
  const { timeoutSeconds = timeoutSecondsDefault, responseStartTimeoutSeconds = 0, idleTimeoutSeconds = 0 } = spec
  return {
    namespace,
    name,
    uid,
    selector: { [revisionUidLabel]: uid },
    containerPort: servingPort(spec),
    protocol: servingProtocol(spec),
    containerConcurrency: spec.containerConcurrency ?? 0,
    // 0 switches these two off.
    timeouts: {
      totalMs: timeoutSeconds * 1_000,
      ...(responseStartTimeoutSeconds > 0 ? { responseStartMs: responseStartTimeoutSeconds * 1_000 } : {}),
      ...(idleTimeoutSeconds > 0 ? { idleMs: idleTimeoutSeconds * 1_000 } : {}),
    },
    ...(service !== undefined && { service }),
    ...(configuration !== undefined && { configuration }),
  }
}
