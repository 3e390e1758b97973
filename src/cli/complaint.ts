// Errors as commands show them: what happened, and what to do next.
import { KnodeError, messageOf } from '../base/errors.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** An error as a command shows it. */
export function complaint(error: unknown, terminal: Pick<Terminal, 'paint'>): string {
  const hint = hintFor(error)
  const line = `${terminal.paint('red', 'knode:')} ${printable(messageOf(error))}\n`
  return hint === undefined ? line : `${line}${printable(hint).replace(/^/gm, '  ')}\n`
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof KnodeError) return error.hint
  if (!(error instanceof StatusError)) return undefined
  const { details, reason, code } = error
  const kind = [details?.kind, details?.group].filter((part) => (part ?? '') !== '').join('.')
  if (reason === 'NotFound' && kind !== '') return `knode get ${kind} -A lists those that exist`
  if (code === 401) return 'the token is not this server’s: use the kubeconfig of the running process'
  if (details?.causes?.some((cause) => cause.reason === 'FieldManagerConflict') === true) {
    return 'take these fields over with --force-conflicts, or leave them out of the manifest'
  }
  return undefined
}
