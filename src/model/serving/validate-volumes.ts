// What volumes and their mounts may say. Source: knative/serving pkg/apis/serving/k8s_validation.go.
import { posix } from 'node:path'
import { atIndex, disallowedField, fieldError, invalidValue, missingField } from '../kubernetes/field-error.ts'
import { missingOneOf, multipleOneOf } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { Container } from './container-schema.ts'
import type { Volume } from './revision-template.ts'
import { featureFlag } from './serving-config.ts'
import type { ServingConfig } from './serving-config.ts'

const freeSources = ['secret', 'configMap', 'projected'] as const
/** Sources that a flag lets through, and what upstream calls them when it does not. */
const gatedSources = {
  emptyDir: 'EmptyDir',
  persistentVolumeClaim: 'PersistentVolumeClaim',
  hostPath: 'HostPath',
  csi: 'CSI',
  ephemeral: 'Ephemeral',
  image: 'Image',
} as const
const gatedNames = Object.keys(gatedSources) as (keyof typeof gatedSources)[]
const flagOf = (source: keyof typeof gatedSources): string =>
  source === 'persistentVolumeClaim'
    ? 'kubernetes.podspec-persistent-volume-claim'
    : `kubernetes.podspec-volumes-${source.toLowerCase()}`

/** Paths begin with the volume's index. */
export function validateVolumes(
  volumes: readonly Volume[],
  containers: readonly Container[],
  config: ServingConfig,
): FieldError[] {
  const mounted = new Set(containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name = '' }) => name)))
  const seen = new Set<string>()
  return volumes.flatMap((volume, index) => {
    const { name = '' } = volume
    const errors = validateSource(volume, config)
    if (seen.has(name)) errors.push(fieldError(`duplicate volume name "${name}"`, ['name']))
    if (!mounted.has(name)) errors.push(fieldError(`volume with name "${name}" not mounted`, ['name']))
    seen.add(name)
    return atIndex(index, errors)
  })
}

function validateSource(volume: Volume, config: ServingConfig): FieldError[] {
  const { name = '' } = volume
  const isOpen = (source: keyof typeof gatedSources): boolean =>
    featureFlag(config.features, flagOf(source)) === 'enabled'
  const errors = gatedNames
    .filter((source) => volume[source] !== undefined && !isOpen(source))
    .flatMap((source) => [fieldError(closedText(source, volume), ['']), disallowedField(source)])
  errors.push(...writableClaimErrors(volume, config))
  if (name === '') errors.push(missingField('name'))
  else if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) errors.push(invalidValue(name, 'name'))
  const given = [...freeSources, ...gatedNames].filter((source) => volume[source] !== undefined)
  if (given.length === 0) errors.push(missingOneOf(...freeSources, ...gatedNames.filter(isOpen)))
  if (given.length > 1) errors.push(multipleOneOf(...given))
  return errors
}

/** A claim that is not read-only needs a flag of its own. */
function writableClaimErrors({ persistentVolumeClaim }: Volume, { features }: ServingConfig): FieldError[] {
  const claim = persistentVolumeClaim as { claimName?: string; readOnly?: boolean } | undefined
  const mayWrite = featureFlag(features, 'kubernetes.podspec-persistent-volume-write') === 'enabled'
  if (claim === undefined || claim.readOnly === true || mayWrite) return []
  const found = `found persistent volume claim ${claim.claimName ?? ''} that is not read-only`
  return [fieldError(`Persistent volume write support is disabled, but ${found}`, [''])]
}

function closedText(source: keyof typeof gatedSources, volume: Volume): string {
  if (source === 'persistentVolumeClaim') {
    const claim = (volume.persistentVolumeClaim as { claimName?: string } | undefined)?.claimName ?? ''
    return `Persistent volume claim support is disabled, but found persistent volume claim ${claim}`
  }
  const text = gatedSources[source]
  return `${text} volume support is disabled, but found ${text} volume ${volume.name ?? ''}`
}

const reservedPaths = new Set(['/', '/dev', '/dev/log'])

/** Paths begin with the mount's index. */
export function validateVolumeMounts(
  mounts: NonNullable<Container['volumeMounts']>,
  volumes: readonly Volume[],
  config: ServingConfig,
): FieldError[] {
  const seen = new Set<string>()
  return mounts.flatMap((mount, index) => {
    const { name = '', mountPath = '', readOnly = false, mountPropagation } = mount
    const path = mountPath === '' ? '' : cleanPath(mountPath)
    const volume = volumes.find((each) => each.name === name)
    const errors: FieldError[] = []
    if (volume === undefined) errors.push(fieldError('volumeMount has no matching volume', ['name']))
    if (mountPath === '') errors.push(missingField('mountPath'))
    else if (reservedPaths.has(path)) errors.push(fieldError(`mountPath "${path}" is a reserved path`, ['mountPath']))
    else if (!path.startsWith('/')) errors.push(invalidValue(mountPath, 'mountPath'))
    else if (seen.has(path)) errors.push(invalidValue(`"${mountPath}" must be unique`, 'mountPath'))
    seen.add(path)
    const isWritable = (volume?.emptyDir ?? volume?.persistentVolumeClaim ?? volume?.ephemeral) !== undefined
    if (!isWritable && !readOnly) {
      errors.push(fieldError('volume mount should be readOnly for this type of volume', ['readOnly']))
    }
    const flag = featureFlag(config.features, 'kubernetes.podspec-volumes-mount-propagation')
    if (mountPropagation !== undefined && flag !== 'enabled') {
      const text = `Volume Mount Propagation support is disabled, but found volume mount ${name} with mount propagation`
      errors.push(disallowedField('mountPropagation'), fieldError(text, ['']))
    }
    return atIndex(index, errors)
  })
}

/** Go's path.Clean: no slash at the end. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}
