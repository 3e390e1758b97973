import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servingSystemNamespace } from '../model/knative/feature-flags.ts'
import { servingConfigObjection } from '../model/serving/config-check/check.ts'
import { configMapDefaults } from './config-maps.ts'

test('Serving’s ConfigMaps as they ship pass the check that edits have to pass', () => {
  const maps = configMapDefaults.filter(({ metadata }) => metadata.namespace === servingSystemNamespace)
  assert.ok(maps.length > 10)
  for (const { metadata, data } of maps) assert.equal(servingConfigObjection(metadata.name, data), undefined)
})
