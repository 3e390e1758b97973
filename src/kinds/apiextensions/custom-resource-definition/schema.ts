// CustomResourceDefinition apiextensions.k8s.io/v1. Source: kubernetes/apiextensions-apiserver apis/apiextensions/v1.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { anyObject, boolean, list, object, string } from '../../../model/kubernetes/schema.ts'

export interface DefinitionNames {
  plural: string
  singular: string
  kind: string
  listKind: string
  shortNames?: string[]
  categories?: string[]
}

export interface DefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema: { openAPIV3Schema: object }
  subresources?: { status?: object }
  additionalPrinterColumns?: { name: string; type: string; jsonPath: string; description?: string; priority?: number }[]
}

export interface CustomResourceDefinition extends Resource {
  spec: {
    group: string
    names: DefinitionNames
    scope: 'Namespaced' | 'Cluster'
    versions: DefinitionVersion[]
    conversion: { strategy: 'None' | 'Webhook' }
  }
  status?: {
    conditions: { type: string; status: string; reason: string; message: string; lastTransitionTime?: string }[]
    acceptedNames: DefinitionNames
    storedVersions: string[]
  }
}

const names = (description: string) =>
  object(description, {
    plural: string('The name in URLs.'),
    singular: string('The name of one.'),
    kind: string('The Kind.'),
    listKind: string('The Kind of lists.'),
    shortNames: list('Short names for people.', string('A name.')),
    categories: list('Groups of kinds it belongs to, e.g. all.', string('A category.')),
  })

export const customResourceDefinitionSchema = {
  spec: object('The kind.', {
    group: string('API group of the kind.'),
    names: names('What the kind is called.'),
    scope: string('Namespaced or Cluster.'),
    versions: list(
      'Versions of the kind.',
      object('One version.', {
        name: string('Name of the version.'),
        served: boolean('Whether the API answers in it.'),
        storage: boolean('Whether objects are stored in it.'),
        deprecated: boolean('Whether it will go away.'),
        deprecationWarning: string('What requests are told about that.'),
        schema: object('Fields of the kind.', { openAPIV3Schema: anyObject('A structural schema.') }),
        subresources: object('Further addresses of an object.', { status: anyObject('Set when there is /status.') }),
        additionalPrinterColumns: list(
          'Columns of kubectl get.',
          object('One column.', {
            name: string('Its heading.'),
            type: string('Type of its values.'),
            jsonPath: string('Where its values are.'),
            description: string('What it shows.'),
            priority: { type: 'integer', description: 'Above 0 only -o wide shows it.' },
          }),
        ),
      }),
    ),
    conversion: object('How versions are converted.', { strategy: string('None or Webhook.') }),
  }),
  status: object('What was seen last.', {
    conditions: list(
      'The latest observations.',
      object('One observation.', {
        type: string('Name of the condition.'),
        status: string('True, False or Unknown.'),
        reason: string('One word that tells why.'),
        message: string('Details for people.'),
        lastTransitionTime: string('When it last changed.', { format: 'date-time' }),
      }),
    ),
    acceptedNames: names('Names in use.'),
    storedVersions: list('Versions that objects are or were stored in.', string('A version.')),
  }),
}
