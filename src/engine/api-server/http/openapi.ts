// OpenAPI v3 documents, one for each group and version: what kubectl validates, explains and applies by.
// Source: kubernetes/kubectl pkg/cmd/explain and kubernetes/cli-runtime pkg/resource/query_param_verifier_v3.go.
import { createHash } from 'node:crypto'
import { apiVersionOf } from '../../../model/kubernetes/resource.ts'
import type { Schema } from '../../../model/kubernetes/schema.ts'
import { isNamespaced } from '../../kind.ts'
import type { KindDefinition, KindVersion, Verb } from '../../kind.ts'
import type { KindRegistry } from '../kind-registry.ts'
import { metadataSchema } from '../metadata-schema.ts'
import { allVerbs, subresourcesOf } from './discovery.ts'

/**
 * The whole of `/openapi/v2` in protobuf: swagger "2.0", title "Kubernetes", version "v1". kubectl only wants it to
 * decode; everything it uses comes from v3.
 */
export const openApiV2Stub = Buffer.from('0a03322e3012100a0a4b756265726e6574657312027631', 'hex')

export interface OpenApi {
  /** `/openapi/v3`: every document with a URL that changes with its content. */
  index(): string
  /** `path` is `api/v1` or `apis/G/V`. */
  document(path: string): string | undefined
}

/** Answers from documents that are built once for each generation of the registry. */
export function createOpenApi(registry: KindRegistry): OpenApi {
  let builtFor = -1
  let documents = new Map<string, string>()
  let index = ''
  const build = (): void => {
    if (builtFor === registry.generation) return
    builtFor = registry.generation
    documents = buildDocuments(registry)
    const paths = [...documents].map(([path, body]) => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}?hash=${hash(body)}` },
    ])
    index = JSON.stringify({ paths: Object.fromEntries(paths) as object })
  }
  return {
    index() {
      build()
      return index
    },
    document(path) {
      build()
      return documents.get(path)
    },
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase()

function buildDocuments(registry: KindRegistry): Map<string, string> {
  const documents = new Map<string, string>()
  for (const { group, versions } of registry.groups()) {
    for (const version of versions) {
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`
      const described = registry.all().flatMap((kind) => {
        const own = kind.group === group ? kind.versions.find(({ name }) => name === version) : undefined
        return own === undefined ? [] : [{ kind, version: own }]
      })
      documents.set(path, JSON.stringify(documentOf(`/${path}`, described)))
    }
  }
  return documents
}

interface Described {
  kind: KindDefinition
  version: KindVersion
}

const metadataName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const refTo = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` })

const documentOf = (root: string, described: Described[]): object => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: Object.assign({}, ...described.map((one) => pathsOf(root, one))) as object,
  components: {
    schemas: {
      ...Object.fromEntries(described.map((one) => [schemaName(one), schemaOf(one)])),
      [metadataName]: metadataSchema,
      [intOrStringName]: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
    },
  },
})

/** `dev.knative.eventing.v1.Trigger`, `io.k8s.api.core.v1.ConfigMap`. */
function schemaName({ kind, version }: Described): string {
  const group = kind.group === '' ? 'io.k8s.api.core' : kind.group.split('.').reverse().join('.')
  return `${group}.${version.name}.${kind.kind}`
}

const groupVersionKind = ({ kind, version }: Described): object => ({
  group: kind.group,
  version: version.name,
  kind: kind.kind,
})

function schemaOf(one: Described): object {
  const { kind, version } = one
  const properties: Record<string, Schema | object> = {
    apiVersion: { type: 'string', description: `Always ${apiVersionOf(kind.group, version.name)}.` },
    kind: { type: 'string', description: `Always ${kind.kind}.` },
    metadata: { description: 'Standard object metadata.', allOf: [refTo(metadataName)] },
    ...mapValues(version.schema, published),
  }
  return {
    type: 'object',
    description: kind.description ?? `A ${kind.kind}.`,
    properties,
    'x-kubernetes-group-version-kind': [groupVersionKind(one)],
  }
}

/** A schema as `kubectl explain` wants to see it: numbers-or-strings by their name. */
function published(schema: Schema): object {
  const { properties, items, additionalProperties, description = '' } = schema
  if (schema['x-kubernetes-int-or-string'] === true) return { description, allOf: [refTo(intOrStringName)] }
  return {
    ...schema,
    ...(properties !== undefined && { properties: mapValues(properties, published) }),
    ...(items !== undefined && { items: published(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: published(additionalProperties) }),
  }
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

// --- paths ---

const parameter = (name: string, description: string, type = 'string'): object => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
})
const pathParameter = (name: string, description: string): object => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string', uniqueItems: true },
})

const writeParameters = [
  parameter('dryRun', 'All: everything but storing.'),
  parameter('fieldManager', 'Name of whoever makes the change.'),
  parameter('fieldValidation', 'What to do with unknown fields: Strict, Warn or Ignore.'),
]
const patchParameters = [...writeParameters, parameter('force', 'Take over fields of other managers.', 'boolean')]
const deleteParameters = [
  parameter('dryRun', 'All: everything but deleting.'),
  parameter('gracePeriodSeconds', 'Seconds until the object goes.', 'integer'),
  parameter('propagationPolicy', 'What becomes of owned objects: Orphan, Background or Foreground.'),
]
const listParameters = [
  parameter('labelSelector', 'Only objects with these labels.'),
  parameter('fieldSelector', 'Only objects with these fields.'),
  parameter('limit', 'Objects in one answer.', 'integer'),
  parameter('continue', 'Where the last answer ended.'),
  parameter('resourceVersion', 'How fresh the answer must be; where a watch starts.'),
  parameter('watch', 'Tell changes as they happen.', 'boolean'),
]

// Strategic merge is left out on purpose: kubectl would build patches from merge keys of these schemas, while without
// it it uses those of its own types.
const patchTypes = ['application/merge-patch+json', 'application/json-patch+json', 'application/apply-patch+yaml']

interface Operation {
  verb: Verb
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  action: string
  parameters: object[]
  bodyTypes?: string[]
}

const collectionOperations: Operation[] = [
  { verb: 'list', method: 'get', action: 'list', parameters: listParameters },
  { verb: 'create', method: 'post', action: 'post', parameters: writeParameters, bodyTypes: ['application/json'] },
  { verb: 'deletecollection', method: 'delete', action: 'deletecollection', parameters: deleteParameters },
]
const itemOperations: Operation[] = [
  { verb: 'get', method: 'get', action: 'get', parameters: [] },
  { verb: 'update', method: 'put', action: 'put', parameters: writeParameters, bodyTypes: ['application/json'] },
  { verb: 'patch', method: 'patch', action: 'patch', parameters: patchParameters, bodyTypes: patchTypes },
  { verb: 'delete', method: 'delete', action: 'delete', parameters: deleteParameters },
]

function pathsOf(root: string, one: Described): Record<string, object> {
  const { kind } = one
  const verbs = kind.verbs ?? allVerbs
  const namespaced = isNamespaced(kind)
  const collection = namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`
  const item = `${collection}/{name}`
  const path = (operations: Operation[], allowed: readonly Verb[], named: boolean): object => ({
    ...Object.fromEntries(
      operations
        .filter(({ verb }) => allowed.includes(verb))
        .map((operation) => [operation.method, operationOf(one, operation)]),
    ),
    parameters: [
      ...(named ? [pathParameter('name', 'Name of the object.')] : []),
      ...(namespaced ? [pathParameter('namespace', 'Namespace of the object.')] : []),
    ],
  })
  return {
    [collection]: path(collectionOperations, verbs, false),
    [item]: path(itemOperations, verbs, true),
    ...Object.fromEntries(
      Object.entries(subresourcesOf(kind)).map(([name, own]) => [`${item}/${name}`, path(itemOperations, own, true)]),
    ),
  }
}

function operationOf(one: Described, { action, parameters, bodyTypes }: Operation): object {
  const schema = refTo(schemaName(one))
  return {
    tags: [apiVersionOf(one.kind.group, one.version.name)],
    parameters,
    ...(bodyTypes !== undefined && {
      requestBody: { required: true, content: Object.fromEntries(bodyTypes.map((type) => [type, { schema }])) },
    }),
    responses: { '200': { description: 'OK', content: { 'application/json': { schema } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': groupVersionKind(one),
  }
}
