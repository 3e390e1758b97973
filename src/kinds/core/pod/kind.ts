// Pod: containers that run together, here.
import { defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import { podColumns } from './columns.ts'
import { setDefaults } from './defaults.ts'
import { PodReconciler } from './reconcile.ts'
import { podSchema } from './schema.ts'
import { validatePod } from './validate.ts'

export const pod = defineKind<Pod>({
  group: '',
  kind: 'Pod',
  description: 'Containers that run together on this machine, as processes or in a container engine.',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  builtIn: true,
  statusSubresource: true,
  selectableFields: {
    'spec.nodeName': 'spec.nodeName',
    'spec.restartPolicy': 'spec.restartPolicy',
    'spec.schedulerName': 'spec.schedulerName',
    'spec.serviceAccountName': 'spec.serviceAccountName',
    'status.phase': 'status.phase',
    'status.podIP': 'status.podIP',
  },
  versions: [{ name: 'v1', schema: podSchema, columns: podColumns }],
  setDefaults,
  validate: validatePod,
  ownAnnotations: ownPodAnnotations,
  deletionGraceSeconds: ({ spec }) => spec.terminationGracePeriodSeconds ?? 0,
  reconciler: (deps) => new PodReconciler(deps),
})
