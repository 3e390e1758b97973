import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../kubernetes/field-error.ts'
import type { Container } from './container-schema.ts'
import type { RevisionSpec } from './revision-template.ts'
import { insecureDefaults, setSecurityDefaults } from './security.ts'
import { validateTemplate } from './validate-template.ts'

const image = 'example.com/hello'

function secured(container: Container, spec: RevisionSpec, mode: string): unknown {
  const draft = structuredClone(container)
  setSecurityDefaults(draft, spec, { 'secure-pod-defaults': mode })
  return draft.securityContext
}

test('secure-pod-defaults fills in the restricted profile, where the user says nothing', () => {
  const restricted = {
    allowPrivilegeEscalation: false,
    seccompProfile: { type: 'RuntimeDefault' },
    capabilities: { drop: ['ALL'] },
  }
  assert.equal(secured({}, {}, 'Disabled'), undefined)
  assert.equal(secured({}, {}, 'nonsense'), undefined)
  assert.deepEqual(secured({}, {}, 'AllowRootBounded'), restricted)
  assert.deepEqual(secured({}, {}, 'Enabled'), { ...restricted, runAsNonRoot: true })
  assert.deepEqual(secured({ ports: [{ containerPort: 80 }] }, {}, 'AllowRootBounded'), {
    ...restricted,
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  })
  const own = {
    allowPrivilegeEscalation: true,
    runAsNonRoot: false,
    capabilities: { drop: [] },
    seccompProfile: { type: 'Unconfined' },
  }
  assert.deepEqual(secured({ securityContext: own }, {}, 'Enabled'), own)
  const pod: RevisionSpec = { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Unconfined' } } }
  const { seccompProfile: _, ...rest } = restricted
  assert.deepEqual(secured({}, pod, 'Enabled'), rest)
})

test('insecure defaults are warned of, all containers in one line', () => {
  const warningsOf = (spec: RevisionSpec, features = {}): string => fieldErrorText(insecureDefaults(spec, features))
  const text = 'Kubernetes default value is insecure, Knative may default this to secure in a future release'
  const bare = ['allowPrivilegeEscalation', 'capabilities', 'runAsNonRoot', 'seccompProfile']
  const paths = (container: string): string[] => bare.map((field) => `${container}.securityContext.${field}`)
  assert.equal(
    warningsOf({ containers: [{ image }], initContainers: [{ image }] }),
    `${text}: ${[...paths('containers[0]'), ...paths('initContainers[0]')].join(', ')}`,
  )
  assert.equal(warningsOf({ containers: [{ image }] }, { 'secure-pod-defaults': 'AllowRootBounded' }), '')
  const securityContext = {
    runAsNonRoot: false,
    allowPrivilegeEscalation: true,
    seccompProfile: { type: 'Unconfined' },
    capabilities: { drop: ['all'] },
  }
  assert.equal(
    warningsOf({ containers: [{ image, securityContext }] }),
    "invalid value: all: containers[0].securityContext.capabilities.drop\nMust be spelled as 'ALL'",
  )
  assert.equal(
    warningsOf({ containers: [{ image, securityContext: { ...securityContext, capabilities: {} } }] }),
    `${text}: containers[0].securityContext.capabilities.drop`,
  )
})

test('security options of the Pod need a flag, but for the one that opts out of a secure default', () => {
  const refusal = (securityContext: object, features: Record<string, string>): string => {
    const template = { spec: { containers: [{ image }], securityContext: securityContext as Record<string, unknown> } }
    const config = { defaults: {}, features, autoscaler: {} }
    return fieldErrorText(validateTemplate(template, { name: 'hello' }, config))
  }
  const open = { 'kubernetes.podspec-securitycontext': 'enabled' }
  assert.equal(
    refusal({ runAsUser: 7 }, {}),
    'must not set the field(s): spec.securityContext, spec.securityContext.runAsUser',
  )
  assert.equal(refusal({ runAsUser: 7, fsGroup: 3 }, open), '')
  assert.equal(refusal({ sysctls: [] }, open), 'must not set the field(s): spec.securityContext.sysctls')
  assert.equal(
    refusal({ runAsUser: -1, supplementalGroups: [1, -2] }, open),
    'expected 0 <= -1 <= 2147483647: spec.securityContext.runAsUser\n' +
      'expected 0 <= -2 <= 2147483647: spec.securityContext.supplementalGroups[1]',
  )
  const secure = { 'secure-pod-defaults': 'enabled' }
  assert.equal(refusal({ seccompProfile: { type: 'Unconfined' } }, secure), '')
  assert.equal(
    refusal({ seccompProfile: { type: 'Localhost' } }, secure),
    'must not set the field(s): spec.securityContext.seccompProfile',
  )
})

test('with secure defaults a container may ask for low ports', () => {
  const refusal = (add: string[], features: Record<string, string>): string => {
    const template = { spec: { containers: [{ image, securityContext: { capabilities: { add } } }] } }
    const config = { defaults: {}, features, autoscaler: {} }
    return fieldErrorText(validateTemplate(template, { name: 'hello' }, config))
  }
  const path = 'must not set the field(s): spec.containers[0].securityContext.capabilities.add'
  assert.equal(refusal(['NET_BIND_SERVICE'], {}), path)
  assert.equal(refusal(['NET_BIND_SERVICE'], { 'secure-pod-defaults': 'AllowRootBounded' }), '')
  assert.equal(refusal(['SYS_ADMIN'], { 'secure-pod-defaults': 'AllowRootBounded' }), path)
  assert.equal(refusal(['SYS_ADMIN'], { 'kubernetes.containerspec-addcapabilities': 'enabled' }), '')
})
