// The Pods of a Deployment: their names, and what they are made of. Source: kubernetes/kubernetes
// pkg/controller/deployment/util, pkg/controller ComputeHash.
import { createHash } from 'node:crypto'
import type { Random } from '../../../base/random.ts'
import type { PodTemplate } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import { podFinalizer } from '../../core/pod/schema.ts'
import { templateHashLabel } from './schema.ts'
import type { Deployment } from './schema.ts'

/** No vowels, no look-alikes: Kubernetes' alphabet of made-up names. */
const letters = 'bcdfghjklmnpqrstvwxz2456789'
const hashLetters = 10
const suffixLetters = 5
/** Of a Pod's name, what is not made up. */
const baseCharactersMax = 58

/** Ten letters that are the same for the same template, whatever the order of its fields. */
export function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256').update(sortedJson(template)).digest()
  return Array.from(digest.subarray(0, hashLetters), (byte) => letters[byte % letters.length]).join('')
}

export function aPodOf(deployment: Deployment, hash: string, random: Random): Pod {
  const { name, namespace } = deployment.metadata
  const { metadata = {}, spec = {} } = deployment.spec.template ?? {}
  const base = `${name}-${hash}-`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: base.slice(0, baseCharactersMax) + suffix(random),
      generateName: base,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...metadata.labels, [templateHashLabel]: hash },
      ...(metadata.annotations === undefined ? {} : { annotations: { ...metadata.annotations } }),
      finalizers: [...(metadata.finalizers ?? []), podFinalizer],
      ownerReferences: [controllerRef(deployment)],
    },
    spec: structuredClone(spec),
  }
}

const suffix = (random: Random): string =>
  Array.from({ length: suffixLetters }, () => letters[Math.floor(random.next() * letters.length)]).join('')

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
