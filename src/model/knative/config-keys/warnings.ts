// Tells whoever sets a key of Knative's ConfigMaps of which nothing comes, and why; and who has misspelt one.
import { nearest } from '../../../base/nearest.ts'
import { fieldError } from '../../kubernetes/field-error.ts'
import type { FieldError } from '../../kubernetes/field-error.ts'
import { eventingSystemNamespace, servingSystemNamespace } from '../feature-flags.ts'
import { eventingConfigKeys } from './eventing.ts'
import { fits, isHarmless } from './keys.ts'
import { own } from '../../own.ts'
import type { ConfigMapKeys } from './keys.ts'
import { servingConfigKeys } from './serving.ts'

type Data = Readonly<Record<string, string>>

/** What is known of the keys of Knative's ConfigMaps, by namespace and name. */
export const knativeConfigKeys: Readonly<Record<string, Readonly<Record<string, ConfigMapKeys>>>> = {
  [eventingSystemNamespace]: eventingConfigKeys,
  [servingSystemNamespace]: servingConfigKeys,
}

/**
 * Warnings about keys that `data` sets to something new. What a ConfigMap had `before` was told then; keys that begin
 * with `_` are documentation. ConfigMaps that are not Knative's have none.
 */
export function configWarnings(
  { namespace = '', name }: { namespace?: string; name: string },
  data: Data,
  before: Data = {},
): FieldError[] {
  const known = own(own(knativeConfigKeys, namespace), name)
  if (known === undefined) return []
  const news = Object.keys(data).filter((key) => !key.startsWith('_') && data[key] !== before[key])
  const idle = known.idle.flatMap((entry) => {
    const keys = news.filter((key) => entry.keys.some((each) => fits(each, key)) && !isHarmless(data[key]!, entry))
    if (keys.length === 0) return []
    return [warning('no effect in Knode', keys, `on a cluster it ${entry.cluster}; ${entry.here}`)]
  })
  const all = [...known.honoured, ...known.idle.flatMap(({ keys }) => keys)]
  const unknown = news.filter((key) => !all.some((each) => fits(each, key)))
  return [...idle, ...unknown.map((key) => warning('nothing reads this key', [key], advice(key, all)))]
}

const warning = (message: string, keys: string[], why: string): FieldError => ({
  ...fieldError(
    message,
    keys.map((key) => `data[${key}]`),
    `(${why})`,
  ),
  level: 'warning',
})

function advice(key: string, known: readonly string[]): string {
  const close = nearest(
    key,
    known.filter((each) => !each.endsWith('*')),
  )
  return close === undefined ? 'docs/config-maps.md has those that count' : `did you mean ${close}?`
}
