// The classes of autoscalers, as annotation `autoscaling.knative.dev/class` names them.
import { parseGoDuration } from '../kubernetes/go-duration.ts'

/** By requests, to zero and back. */
export const kpaClass = 'kpa.autoscaling.knative.dev'
/** By processor or memory, never to zero. */
export const hpaClass = 'hpa.autoscaling.knative.dev'
/** As kpa, with warm spares. No class of upstream's. */
export const xpaClass = 'xpa.autoscaling.knative.dev'

export const scalerClasses: ReadonlyMap<string, 'kpa' | 'hpa' | 'xpa'> = new Map([
  [kpaClass, 'kpa'],
  [hpaClass, 'hpa'],
  [xpaClass, 'xpa'],
])

/** Annotation gc-time, in milliseconds: `30` and `30s` are 30 000; `undefined` when the text is neither. */
export const parseGcTime = (text: string): number | undefined =>
  /^\d+$/.test(text) ? Number(text) * 1_000 : parseGoDuration(text)
