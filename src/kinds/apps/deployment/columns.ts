// How `kubectl get deployments` shows a Deployment. Source: kubernetes/kubernetes pkg/printers/internalversion
// printDeployment.
import { columns } from '../../../engine/kind.ts'
import type { PrinterColumn } from '../../../engine/kind.ts'
import { selectorText } from '../../../model/kubernetes/label-selector.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Deployment } from './schema.ts'

const containersOf = (object: Resource) => (object as Deployment).spec.template?.spec?.containers ?? []

export const deploymentColumns: PrinterColumn[] = [
  { name: 'Ready', jsonPath: '', print: printReady },
  { name: 'Up-to-date', jsonPath: '', type: 'integer', print: (object) => statusOf(object).updatedReplicas ?? 0 },
  { name: 'Available', jsonPath: '', type: 'integer', print: (object) => statusOf(object).availableReplicas ?? 0 },
  columns.age,
  {
    name: 'Containers',
    jsonPath: '',
    priority: 1,
    print: (object) =>
      containersOf(object)
        .map(({ name = '' }) => name)
        .join(','),
  },
  {
    name: 'Images',
    jsonPath: '',
    priority: 1,
    print: (object) =>
      containersOf(object)
        .map(({ image = '' }) => image)
        .join(','),
  },
  {
    name: 'Selector',
    jsonPath: '',
    priority: 1,
    print: (object) => selectorText((object as Deployment).spec.selector ?? {}) || '<none>',
  },
]

const statusOf = (object: Resource) => (object as Deployment).status ?? {}

function printReady(object: Resource): string {
  return `${statusOf(object).readyReplicas ?? 0}/${(object as Deployment).spec.replicas ?? 1}`
}
