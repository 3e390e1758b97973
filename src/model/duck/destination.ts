// Which Destinations and KReferences are well formed, in upstream's words. Source: knative/pkg apis/duck/v1
// destination.go and knative_reference.go.
import { X509Certificate } from 'node:crypto'
import { at, disallowedField, fieldError, invalidValue, missingField } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { Destination, KReference } from './types.ts'

export interface ReferenceRules {
  /** Flag `kreference-group`: `group` may stand in for `apiVersion`. @default false */
  groupAllowed?: boolean
  /** The object's own namespace, where references to other namespaces are refused. @default any namespace */
  parentNamespace?: string
}

/** What is wrong with a destination; paths start at the destination itself. An absent one is fine. */
export function validateDestination(dest: Destination | undefined, rules: ReferenceRules = {}): FieldError[] {
  if (dest === undefined || dest === null) return []
  const ref = dest.ref ?? undefined
  const uri = dest.uri ?? undefined
  if (ref === undefined && uri === undefined) return [fieldError('expected at least one, got none', ['ref', 'uri'])]
  if (ref !== undefined && uri !== undefined && hasScheme(uri)) {
    return [
      fieldError('Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present', [
        '[apiVersion, kind, name]',
        'ref',
        'uri',
      ]),
    ]
  }
  if (ref === undefined && uri !== undefined && !hasSchemeAndHost(uri)) {
    return [invalidValue('Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent', 'uri')]
  }
  if (ref !== undefined && uri === undefined) return at('ref', validateKReference(ref, rules))
  if (dest.CACerts !== undefined && !isCertificate(dest.CACerts)) {
    return [invalidValue('CA Cert provided is invalid', 'caCert')]
  }
  return []
}

/** What is wrong with a reference; paths start at the reference itself. */
export function validateKReference(ref: Partial<KReference> | undefined, rules: ReferenceRules = {}): FieldError[] {
  if (ref === undefined || ref === null) return ['name', 'apiVersion', 'kind'].map((name) => missingField(name))
  const errors: FieldError[] = []
  if (!ref.name) errors.push(missingField('name'))
  if (rules.groupAllowed === true) {
    if (!ref.apiVersion && !ref.group) errors.push(missingField('apiVersion', 'group'))
  } else {
    if (ref.group) errors.push(disallowedField('group'))
    if (!ref.apiVersion) errors.push(missingField('apiVersion'))
  }
  if (!ref.kind) errors.push(missingField('kind'))
  const parent = rules.parentNamespace
  if (ref.namespace && parent !== undefined && ref.namespace !== parent) {
    const details = `parent namespace: ${JSON.stringify(parent)} does not match ref: ${JSON.stringify(ref.namespace)}`
    errors.push(fieldError('mismatched namespaces', ['namespace'], details))
  }
  return errors
}

const hasScheme = (uri: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(uri)
const hasSchemeAndHost = (uri: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?[^/?#@:]/i.test(uri)

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
