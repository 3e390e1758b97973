// The schema of `metadata`, and of whole objects. Source: kubernetes/apimachinery pkg/apis/meta/v1/types.go.
import { anyObject, boolean, integer, list, map, object, string } from '../../model/kubernetes/schema.ts'
import type { Schema } from '../../model/kubernetes/schema.ts'
import type { KindDefinition, KindVersion } from '../kind.ts'

const ownerReference = object('An object this one depends on.', {
  apiVersion: string('API version of the owner.'),
  kind: string('Kind of the owner.'),
  name: string('Name of the owner.'),
  uid: string('UID of the owner.'),
  controller: boolean('Whether the owner is the managing controller.', { nullable: true }),
  blockOwnerDeletion: boolean('Whether the owner waits for this object when deleted in the foreground.', {
    nullable: true,
  }),
})

const managedFieldsEntry = object('Fields of one manager.', {
  manager: string('Name of the manager.'),
  operation: string('Apply or Update.'),
  apiVersion: string('Version that the fields are named in.'),
  time: string('When the set last changed.', { nullable: true }),
  fieldsType: string('Always FieldsV1.'),
  fieldsV1: { ...anyObject('The fields.'), nullable: true },
  subresource: string('Name of the subresource they were written through.'),
})

/** `metadata` of every object. */
export const metadataSchema: Schema = object('Standard object metadata.', {
  name: string('Name, unique within the namespace.'),
  generateName: string('Prefix of a name that the server makes up.'),
  namespace: string('Namespace of the object.'),
  selfLink: string('No longer filled in.'),
  uid: string('Unique in time and space.'),
  resourceVersion: string('Changes with every write.'),
  generation: integer('Grows with every change of the desired state.', { format: 'int64' }),
  creationTimestamp: string('When the object was created.', { nullable: true }),
  deletionTimestamp: string('When deletion was asked for.', { nullable: true }),
  deletionGracePeriodSeconds: integer('Seconds until it goes.', { format: 'int64', nullable: true }),
  labels: { ...map('Labels, for selectors.', string('Value.')), nullable: true },
  annotations: { ...map('Annotations, for tools.', string('Value.')), nullable: true },
  finalizers: list('Who must agree before it goes.', string('Name.'), {
    nullable: true,
    'x-kubernetes-list-type': 'set',
  }),
  ownerReferences: list('Objects this one depends on.', ownerReference, {
    nullable: true,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['uid'],
  }),
  managedFields: list('Who manages which fields.', managedFieldsEntry, { nullable: true }),
})

export interface VersionSchemas {
  /** Of the whole object. */
  whole: Schema
  /** Of everything but apiVersion, kind and metadata. */
  body: Schema
}

const known = new WeakMap<KindVersion, VersionSchemas>()

/** The schemas of a kind's objects in one of its versions. */
export function schemasOf(kind: KindDefinition, versionName: string): VersionSchemas {
  const version = kind.versions.find(({ name }) => name === versionName)
  if (version === undefined) throw new Error(`${kind.kind} has no version ${versionName}`)
  let schemas = known.get(version)
  if (schemas === undefined) {
    const head = { apiVersion: string('Version of this representation.'), kind: string('What it is.') }
    const description = `A ${kind.kind}.`
    schemas = {
      whole: object(description, { ...head, metadata: metadataSchema, ...version.schema }),
      body: object(description, version.schema),
    }
    known.set(version, schemas)
  }
  return schemas
}
