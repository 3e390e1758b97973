// A volume of a Pod. Source: kubernetes/api core/v1/types.go Volume, ProjectedVolumeSource.
import { anyObject, boolean, integer, list, object, string } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { fieldRefSchema, resourceFieldRefSchema } from './container-schema.ts'

const mode = (description: string) => integer(description, { format: 'int32' })
const keyItems = list(
  'Which keys, and where; all when absent.',
  object('One file.', {
    key: string('The key.'),
    path: string('Path of the file in the volume.'),
    mode: mode('Permissions of the file.'),
  }),
)
const downwardItems = list(
  'Which facts, and where.',
  object('One file.', {
    path: string('Path of the file in the volume.'),
    fieldRef: fieldRefSchema,
    resourceFieldRef: resourceFieldRefSchema,
    mode: mode('Permissions of the file.'),
  }),
)
const optional = boolean('Whether it may be absent.')

const projectedSource = object('One source.', {
  configMap: object('Files from a ConfigMap.', { name: string('Its name.'), items: keyItems, optional }),
  secret: object('Files from a Secret.', { name: string('Its name.'), items: keyItems, optional }),
  downwardAPI: object('Facts about the Pod.', { items: downwardItems }),
  serviceAccountToken: object('A token of the service account.', {
    audience: string('Who the token is for.'),
    expirationSeconds: integer('How long it is good.', { format: 'int64' }),
    path: string('Path of the file in the volume.'),
  }),
  clusterTrustBundle: anyObject('Certificates; not supported by Knode.'),
  podCertificate: anyObject('A certificate; not supported by Knode.'),
})

export const volumeSchema = object('One volume.', {
  name: string('Name of the volume.'),
  configMap: object('Files from a ConfigMap.', {
    name: string('Its name.'),
    items: keyItems,
    defaultMode: mode('Permissions of the files.'),
    optional,
  }),
  secret: object('Files from a Secret.', {
    secretName: string('Its name.'),
    items: keyItems,
    defaultMode: mode('Permissions of the files.'),
    optional,
  }),
  downwardAPI: object('Facts about the Pod.', {
    items: downwardItems,
    defaultMode: mode('Permissions of the files.'),
  }),
  projected: object('Files from several sources; later ones win.', {
    sources: list('The sources.', projectedSource),
    defaultMode: mode('Permissions of the files.'),
  }),
  emptyDir: object('An empty directory that lives as long as the Pod.', {
    medium: string('Memory or empty.'),
    sizeLimit: { description: 'The most it may hold. Not enforced.', 'x-kubernetes-int-or-string': true },
  }),
  hostPath: object('A path of the machine.', { path: string('The path.'), type: string('What it must be.') }),
  persistentVolumeClaim: anyObject('A claim; not supported by Knode.'),
  nfs: anyObject('An NFS export; not supported by Knode.'),
  iscsi: anyObject('An iSCSI disk; not supported by Knode.'),
  csi: anyObject('A CSI volume; not supported by Knode.'),
  ephemeral: anyObject('An ephemeral claim; not supported by Knode.'),
  image: anyObject('The files of an image; not supported by Knode.'),
})

export type Volume = Infer<typeof volumeSchema>
export type ProjectedSource = Infer<typeof projectedSource>
export type KeyItem = NonNullable<NonNullable<Volume['configMap']>['items']>[number]
export type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number]
