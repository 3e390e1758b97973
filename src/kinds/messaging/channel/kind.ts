// Channel: a channel of whatever kind the namespace's default says.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setChannelDefaults } from './defaults.ts'
import { ChannelReconciler } from './reconcile.ts'
import { channelSchema } from './schema.ts'
import type { Channel } from './schema.ts'
import { validateChannel } from './validate.ts'

export const channel = defineKind<Channel>({
  group: 'messaging.knative.dev',
  kind: 'Channel',
  plural: 'channels',
  shortNames: ['ch'],
  categories: ['all', 'knative', 'messaging', 'channel'],
  versions: [{ name: 'v1', schema: channelSchema, columns: [columns.url, columns.age, columns.ready, columns.reason] }],
  crd: {
    labels: { 'messaging.knative.dev/subscribable': 'true', 'duck.knative.dev/addressable': 'true' },
  },
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setChannelDefaults,
  validate: validateChannel,
  ownAnnotations: [],
  reconciler: () => new ChannelReconciler(),
})
