// How a Revision that does not start is told. Source: knative/serving pkg/apis/serving/v1/revision_lifecycle.go,
// pkg/reconciler/revision/reconcile_resources.go.
import type { StartFailure } from '../../../engine/request-path/instance-set.ts'

export interface FailureText {
  reason: string
  /** Without full stop. */
  message: string
}

/** Exit codes of programs that a signal ended: 128 and the signal's number. */
const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

export function failureText({ kind, exit, message, output }: StartFailure, image: string): FailureText {
  switch (kind) {
    case 'missing':
      return { reason: 'ContainerMissing', message: `Unable to fetch image "${image}": ${message}` }
    case 'exited': {
      const code = exit?.code ?? 128 + (signalNumbers[exit?.signal ?? ''] ?? 0)
      const why = output === '' && code === 0 ? 'container exited with no error' : `Container failed with: ${output}`
      return { reason: `ExitCode${code}`, message: why }
    }
    case 'not-listening':
      return { reason: 'ProgressDeadlineExceeded', message: 'Initial scale was never achieved' }
    case 'not-started':
      return { reason: 'FailedCreate', message }
    default:
      return kind satisfies never
  }
}
