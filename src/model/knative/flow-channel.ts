// What Sequence and Parallel share: the kind of channel they are made of.
import type { DeliveryFlags } from '../duck/delivery.ts'
import { validateDestination } from '../duck/destination.ts'
import type { Destination } from '../duck/types.ts'
import { at, missingField } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { anyObject, object, string } from '../kubernetes/schema.ts'
import type { Schema } from '../kubernetes/schema.ts'
import { defaultChannelTemplate } from './channel-template.ts'
import type { ChannelTemplate } from './channel-template.ts'

export const channelTemplateSchema = object('The kind of channel to create.', {
  apiVersion: string('Its API version.'),
  kind: string('Its kind.'),
  spec: anyObject('Its spec.'),
}) as Schema<ChannelTemplate>

/** Fills in the cluster's default, in place. `data` is that of `default-ch-webhook`; namespace defaults do not count. */
export function setChannelTemplate(
  spec: { channelTemplate?: ChannelTemplate },
  data: Readonly<Record<string, string>>,
): void {
  const template = spec.channelTemplate === undefined ? defaultChannelTemplate(data) : undefined
  if (template !== undefined) spec.channelTemplate = structuredClone(template)
}

/** Paths start at `spec`. */
export function validateChannelTemplate(template: ChannelTemplate | undefined): FieldError[] {
  if (template === undefined) return [missingField('channelTemplate')]
  return at('channelTemplate', [
    ...(template.apiVersion ? [] : [missingField('apiVersion')]),
    ...(template.kind ? [] : [missingField('kind')]),
  ])
}

/** An empty object counts as absent. */
export function validateOptionalDestination(
  name: string,
  target: Destination | undefined,
  flags: DeliveryFlags,
): FieldError[] {
  const absent = target === undefined || target === null || Object.keys(target).length === 0
  return absent ? [] : at(name, validateDestination(target, flags))
}
