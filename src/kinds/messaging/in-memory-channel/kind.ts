// InMemoryChannel: keeps its name for compatibility; its events are as durable as the configured transport.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setInMemoryChannelDefaults } from './defaults.ts'
import { InMemoryChannelReconciler } from './reconcile.ts'
import { inMemoryChannelSchema } from './schema.ts'
import type { InMemoryChannel } from './schema.ts'
import { validateInMemoryChannel } from './validate.ts'

export const inMemoryChannel = defineKind<InMemoryChannel>({
  group: 'messaging.knative.dev',
  kind: 'InMemoryChannel',
  plural: 'inmemorychannels',
  shortNames: ['imc'],
  categories: ['all', 'knative', 'messaging', 'channel'],
  versions: [
    { name: 'v1', schema: inMemoryChannelSchema, columns: [columns.url, columns.age, columns.ready, columns.reason] },
  ],
  crd: {
    labels: { 'messaging.knative.dev/subscribable': 'true', 'duck.knative.dev/addressable': 'true' },
  },
  webhooks: {
    mutating: 'inmemorychannel.eventing.knative.dev',
    validating: 'validation.inmemorychannel.eventing.knative.dev',
  },
  setDefaults: setInMemoryChannelDefaults,
  validate: validateInMemoryChannel,
  ownAnnotations: [],
  reconciler: (deps) => new InMemoryChannelReconciler(deps),
})
