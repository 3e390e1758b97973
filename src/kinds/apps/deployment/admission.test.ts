import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { deploymentColumns } from './columns.ts'
import { setDefaults } from './defaults.ts'
import type { Deployment, DeploymentSpec } from './schema.ts'
import { validateDeployment } from './validate.ts'

function aDeployment(spec: DeploymentSpec = {}): Deployment {
  const made: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      ...spec,
    },
  }
  setDefaults(made)
  return made
}
const complaints = (spec: DeploymentSpec, old?: Deployment): string =>
  fieldErrorText(validateDeployment(aDeployment(spec), { ...(old && { old }) } as never))

test('what is left out is as Kubernetes has it, also in the template', () => {
  const { spec } = aDeployment()
  assert.deepEqual([spec.replicas, spec.revisionHistoryLimit, spec.progressDeadlineSeconds], [1, 10, 600])
  assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } })
  assert.equal(spec.template?.spec?.restartPolicy, 'Always')
  assert.equal(spec.template?.spec?.containers?.[0]?.imagePullPolicy, 'Always')
  assert.equal(aDeployment({ replicas: 0 }).spec.replicas, 0)
  assert.equal(complaints({}), '')
})

test('mistakes are told with their place', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const rows: [DeploymentSpec, RegExp][] = [
    [{ selector: {} }, /empty selector is invalid for deployment/],
    [
      { selector: { matchLabels: { app: 'other' } } },
      /`selector` does not match template `labels`: spec\.template\.metad/,
    ],
    [{ replicas: -1 }, /Invalid value: -1: must be greater than or equal to 0: spec\.replicas/],
    [{ template: { ...template, spec: { containers: [] } } }, /missing field\(s\): spec\.template\.spec\.containers/],
    [
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      /Unsupported value: "Never": supported values: "Always": spec\.template\.spec\.restartPolicy/,
    ],
    [
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      /may not be specified when strategy `type` is 'Recreate': spec\.strategy\.rollingUpdate/,
    ],
    [{ strategy: { rollingUpdate: { maxSurge: 'x' } } }, /invalid value: x: spec\.strategy\.rollingUpdate\.maxSurge/],
    [{ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }, /maxUnavailable\nmay not be 0/],
    [{ progressDeadlineSeconds: 5, minReadySeconds: 5 }, /must be greater than minReadySeconds/],
  ]
  for (const [spec, message] of rows) assert.match(complaints(spec), message)
})

test('the selector cannot change', () => {
  const old = aDeployment({ selector: { matchLabels: { app: 'web', tier: 'a' } } })
  assert.match(complaints({}, old), /field is immutable: spec\.selector/)
  assert.equal(complaints({ replicas: 5 }, aDeployment()), '')
})

test('a table shows what kubectl shows', () => {
  const object = { ...aDeployment({ replicas: 3 }), status: { readyReplicas: 1, updatedReplicas: 3 } }
  const shown = deploymentColumns.flatMap((column) => (column.print === undefined ? [] : [column.print(object, 0)]))
  assert.deepEqual(shown, ['1/3', 3, 0, 'c', 'i', 'app=web'])
})
