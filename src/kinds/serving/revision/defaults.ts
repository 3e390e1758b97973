// What a Revision gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/revision_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { setRevisionDefaults as setSpecDefaults } from '../../../model/serving/template-defaults.ts'
import type { Revision } from './schema.ts'

/** Its spec never changes, not even by new defaults. */
export function setRevisionDefaults(draft: Revision, { operation, config }: AdmissionContext<Revision>): void {
  if (operation === 'update') return
  draft.spec ??= {}
  setSpecDefaults(draft.spec, { config: readServingConfig(config), operation })
}
