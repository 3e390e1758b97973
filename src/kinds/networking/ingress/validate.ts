// What an Ingress must not be. Source: knative/networking pkg/apis/networking/v1alpha1/ingress_validation.go.
import { at, atIndex, fieldError, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { semanticallyEqual } from '../../../model/kubernetes/semantic.ts'
import type { HttpIngressPath, Ingress, IngressBackendSplit, IngressRule, IngressTls } from './schema.ts'

export function validateIngress({ metadata, spec }: Ingress): FieldError[] {
  if (isEmpty(spec)) return [missingField('spec')]
  const { rules = [], tls = [], httpOption = '' } = spec
  const errors: FieldError[] = rules.length === 0 ? [missingField('rules')] : []
  errors.push(...rules.flatMap((rule, index) => at('rules', atIndex(index, ruleErrors(rule, metadata.namespace)))))
  errors.push(...tls.flatMap((entry, index) => at('tls', atIndex(index, tlsErrors(entry)))))
  if (!['', 'Enabled', 'Redirected'].includes(httpOption)) errors.push(invalidValue(httpOption, 'httpOption'))
  return at('spec', errors)
}

function ruleErrors(rule: IngressRule, namespace: string | undefined): FieldError[] {
  if (isEmpty(rule)) return [missingField('')]
  if (rule.http === undefined || rule.http === null) return [missingField('http')]
  const { paths } = rule.http
  if (paths.length === 0) return at('http', [missingField('paths')])
  return at(
    'http',
    paths.flatMap((path, index) => at('paths', atIndex(index, pathErrors(path, namespace)))),
  )
}

function pathErrors(path: HttpIngressPath, namespace: string | undefined): FieldError[] {
  if (isEmpty(path)) return [missingField('')]
  const { splits } = path
  if (splits.length === 0) return [missingField('splits')]
  for (const [index, split] of splits.entries()) {
    const errors = splitErrors(split, namespace)
    // The sum of wrong numbers says nothing.
    if (errors.length > 0) return at('splits', atIndex(index, errors))
  }
  const total = splits.reduce((sum, { percent = 0 }) => sum + percent, 0)
  if (total === 100 || (splits.length === 1 && total === 0)) return []
  return [fieldError(`traffic split percentage must total to 100, but was ${total}`, ['splits'])]
}

function splitErrors(split: IngressBackendSplit, namespace: string | undefined): FieldError[] {
  if (isEmpty(split)) return [missingField('')]
  const { percent = 0, serviceNamespace, serviceName, servicePort } = split
  const errors: FieldError[] = percent < 0 || percent > 100 ? [invalidValue(percent, 'percent')] : []
  if (serviceNamespace === '') errors.push(missingField('serviceNamespace'))
  else if (serviceNamespace !== namespace) {
    errors.push(fieldError('service namespace must match ingress namespace', ['serviceNamespace']))
  }
  if (serviceName === '') errors.push(missingField('serviceName'))
  if (servicePort === 0 || servicePort === '') errors.push(missingField('servicePort'))
  return errors
}

function tlsErrors({ secretName = '', secretNamespace = '', ...rest }: IngressTls): FieldError[] {
  if (secretName === '' && secretNamespace === '' && isEmpty(rest)) return [missingField('')]
  return [
    ...(secretName === '' ? [missingField('secretName')] : []),
    ...(secretNamespace === '' ? [missingField('secretNamespace')] : []),
  ]
}

const isEmpty = (value: unknown): boolean => semanticallyEqual(value, undefined)
