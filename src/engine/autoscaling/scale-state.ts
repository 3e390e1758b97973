// What of a scaler's state others hear of.
import type { ScaleState } from '../autoscaler.ts'

/** Words are those of the last change, and are none by themselves. */
export const isSameState = (a: ScaleState, b: ScaleState): boolean =>
  a.want === b.want &&
  a.ready === b.ready &&
  a.activity === b.activity &&
  a.reason === b.reason &&
  a.isInitialized === b.isInitialized &&
  a.mode === b.mode &&
  a.activators === b.activators
