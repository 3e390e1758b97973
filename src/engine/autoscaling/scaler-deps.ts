// What all scalers share.
import type { KindDeps } from '../reconciler.ts'
import type { Ticker } from './ticker.ts'

export type AutoscalerDeps = Pick<KindDeps, 'caches' | 'client' | 'clock' | 'log' | 'pods' | 'revisions'>

export interface ScalerDeps extends AutoscalerDeps {
  ticker: Ticker
}
