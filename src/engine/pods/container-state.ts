// How the state of a container is told. Source: kubernetes/kubernetes pkg/kubelet/kuberuntime, pkg/kubelet/images.
import { constants } from 'node:os'
import type { ContainerState } from '../../model/kubernetes/pod/pod.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { Workload, WorkloadExit } from '../../ports/workload-runtime/port.ts'

/** Of a failed container's output, that its state tells. */
const lastLinesMax = 80
const lastCharactersMax = 2_048

/** Exit code of a container whose end nobody saw, as after a restart of the machine. */
export const unseenExitCode = 255

export type Terminated = NonNullable<ContainerState['terminated']>

/** @param policy FallbackToLogsOnError makes the end of the output a failed container's message */
export async function terminatedState(
  workload: Workload,
  exit: WorkloadExit,
  { policy, startedMs, nowMs }: { policy: string | undefined; startedMs: number; nowMs: number },
): Promise<Terminated> {
  const exitCode = exitCodeOf(exit)
  const signal = signalNumber(exit.signal)
  const lastWords = exitCode !== 0 && policy === 'FallbackToLogsOnError' ? await lastLines(workload) : ''
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    reason: exit.outOfMemory === true ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
    ...(lastWords === '' ? {} : { message: lastWords }),
    startedAt: kubernetesTime(startedMs),
    finishedAt: kubernetesTime(nowMs),
    containerID: containerId(workload),
  }
}

/** A program that a signal ended has 128 and the signal's number, as shells tell it. */
const exitCodeOf = ({ code, signal }: WorkloadExit): number => code ?? 128 + (signalNumber(signal) ?? 0)

export const containerId = ({ spec }: Pick<Workload, 'spec'>): string => `knode://${spec.namespace}/${spec.name}`

const signalNumber = (name: string | undefined): number | undefined =>
  name === undefined ? undefined : (constants.signals as Readonly<Record<string, number>>)[name]

async function lastLines(workload: Workload): Promise<string> {
  const lines: string[] = []
  for await (const { text } of workload.logs({ tailLines: lastLinesMax })) lines.push(text)
  return lines.join('\n').slice(-lastCharactersMax)
}
