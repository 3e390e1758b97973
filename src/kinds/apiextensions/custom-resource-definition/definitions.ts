// The CustomResourceDefinitions of the kinds this process serves, kept as real objects: list, watch, selectors and
// tables work on them as on any other, and clients may hold references to them.
import { isDeepStrictEqual } from 'node:util'
import { hasStatus, resourceName, storageVersion } from '../../../engine/kind.ts'
import type { KindDefinition, KindVersion } from '../../../engine/kind.ts'
import type { ResourceClient } from '../../../engine/reconciler.ts'
import { kubernetesTime } from '../../../model/kubernetes/resource.ts'
import type { CustomResourceDefinition, DefinitionNames, DefinitionVersion } from './schema.ts'

const definitionKind = 'CustomResourceDefinition.apiextensions.k8s.io'

/** Makes the stored definitions those of `kinds`: for the start, before anybody asks. */
export async function storeDefinitions(
  client: ResourceClient,
  kinds: readonly KindDefinition[],
  nowMs: number,
): Promise<void> {
  const stored = await client.list<CustomResourceDefinition>(definitionKind)
  const byName = new Map(stored.map((definition) => [definition.metadata.name, definition]))
  for (const kind of kinds.filter(({ builtIn }) => builtIn !== true)) {
    const wanted = definitionOf(kind, nowMs)
    const present = byName.get(wanted.metadata.name)
    byName.delete(wanted.metadata.name)
    await storeDefinition(client, wanted, present)
  }
  for (const name of byName.keys()) await client.delete(definitionKind, '', name)
}

async function storeDefinition(
  client: ResourceClient,
  wanted: CustomResourceDefinition,
  present: CustomResourceDefinition | undefined,
): Promise<void> {
  let { metadata } = present ?? (await client.create(wanted))
  if (present !== undefined && !isSame(present, wanted)) {
    const { labels, annotations } = wanted.metadata
    metadata = {
      ...metadata,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    }
    metadata = (await client.update({ ...wanted, metadata })).metadata
  }
  if (isDeepStrictEqual(withoutTimes(present), withoutTimes(wanted))) return
  await client.updateStatus({ ...wanted, metadata })
}

const isSame = (a: CustomResourceDefinition, b: CustomResourceDefinition): boolean =>
  isDeepStrictEqual(
    [a.spec, a.metadata.labels, a.metadata.annotations],
    [b.spec, b.metadata.labels, b.metadata.annotations],
  )

const withoutTimes = (definition: CustomResourceDefinition | undefined): object | undefined =>
  definition?.status && {
    ...definition.status,
    conditions: definition.status.conditions.map((condition) => ({ ...condition, lastTransitionTime: undefined })),
  }

/** The definition of one kind; all JSON, so that it compares with what was stored. */
export function definitionOf(kind: KindDefinition, nowMs: number): CustomResourceDefinition {
  const { labels, annotations } = kind.crd ?? {}
  const names: DefinitionNames = {
    plural: kind.plural,
    singular: kind.singular ?? kind.kind.toLowerCase(),
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    ...(kind.shortNames !== undefined && { shortNames: kind.shortNames }),
    ...(kind.categories !== undefined && { categories: kind.categories }),
  }
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: kubernetesTime(nowMs),
  })
  const definition: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: resourceName(kind),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
    spec: {
      group: kind.group,
      names,
      scope: kind.scope ?? 'Namespaced',
      versions: kind.versions.map((version) => versionOf(kind, version)),
      conversion: { strategy: kind.convert === undefined ? 'None' : 'Webhook' },
    },
    status: {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: names,
      storedVersions: [storageVersion(kind)],
    },
  }
  return JSON.parse(JSON.stringify(definition)) as CustomResourceDefinition
}

function versionOf(
  kind: KindDefinition,
  { name, schema, columns, deprecationWarning }: KindVersion,
): DefinitionVersion {
  return {
    name,
    served: true,
    storage: name === storageVersion(kind),
    ...(deprecationWarning !== undefined && { deprecated: true, deprecationWarning }),
    schema: {
      openAPIV3Schema: {
        type: 'object',
        ...(kind.description !== undefined && { description: kind.description }),
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          ...schema,
        },
      },
    },
    ...(hasStatus(kind) && { subresources: { status: {} } }),
    additionalPrinterColumns: columns.map(({ name: heading, type = 'string', jsonPath, description, priority }) => ({
      name: heading,
      type,
      jsonPath,
      ...(description !== undefined && { description }),
      ...(priority !== undefined && { priority }),
    })),
  }
}
