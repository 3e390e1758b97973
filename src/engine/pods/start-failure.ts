// Why no instance of a container could be made, as container states tell it. Source: kubernetes/kubernetes
// pkg/kubelet/images, pkg/kubelet/kuberuntime.
import { KnodeError, messageOf } from '../../base/errors.ts'
import type { WorkloadSpec } from '../../ports/workload-runtime/port.ts'

export class StartFailure extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What is wrong with what a container is told is no failure of the runtime. */
export async function configured(prepare: () => Promise<WorkloadSpec>): Promise<WorkloadSpec> {
  try {
    return await prepare()
  } catch (thrown) {
    throw new StartFailure('CreateContainerConfigError', messageOf(thrown))
  }
}

export function failureOf(thrown: unknown): { reason: string; message: string } {
  if (thrown instanceof StartFailure) return thrown
  const message = messageOf(thrown)
  const isPull = thrown instanceof KnodeError && thrown.code === 'IMAGE_PULL_FAILED'
  return { reason: isPull ? 'ErrImagePull' : 'RunContainerError', message }
}
