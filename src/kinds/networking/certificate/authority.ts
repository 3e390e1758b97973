// Who signs the certificates that Knode issues: an authority of its own in a Secret, or one that a user put there.
import { X509Certificate } from 'node:crypto'
import { createAuthority } from '../../../base/certificate.ts'
import { messageOf } from '../../../base/errors.ts'
import { checkKeyPair } from '../../../base/key-pair.ts'
import type { KeyPair } from '../../../base/key-pair.ts'
import type { KindDeps, ReconcileContext } from '../../../engine/reconciler.ts'
import { servingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { secretData, tlsSecretType, tlsTextsIn } from '../../../model/kubernetes/tls-secret.ts'
import { trustBundleLabel } from '../../../model/serving/network-keys.ts'
import type { Secret } from '../../core/secret/schema.ts'

/** Of the Secret with certificate and key, and of the ConfigMap that tells everybody the certificate. */
export const authorityName = 'knode-ca'

export interface Authority extends KeyPair {
  certificate: X509Certificate
}

/** The authority's Secret is there and of no use; only its owner knows what to do. */
export class AuthorityError extends Error {
  constructor(why: string) {
    super(
      `Secret "${servingSystemNamespace}/${authorityName}" holds no authority: ${why}. Deleting it makes a new one.`,
    )
  }
}

export class AuthorityKeeper {
  #deps: Pick<KindDeps, 'client' | 'clock'>
  #making: Promise<Secret> | undefined

  constructor(deps: Pick<KindDeps, 'client' | 'clock'>) {
    this.#deps = deps
  }

  /** Makes one for the first who asks. Whoever asked hears of each change. @throws {AuthorityError} */
  async authority(context: ReconcileContext): Promise<Authority> {
    const secret =
      context.get<Secret>('Secret', servingSystemNamespace, authorityName) ?? (await (this.#making ??= this.#make()))
    const authority = this.#read(secret)
    await publish(authority.cert, context)
    return authority
  }

  async #make(): Promise<Secret> {
    const { client, clock } = this.#deps
    try {
      const known = await client.get<Secret>('Secret', servingSystemNamespace, authorityName)
      if (known !== undefined) return known
      const pair = createAuthority({ commonName: 'Knode authority', nowMs: clock.now() })
      return await client.create<Secret>({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: authorityName, namespace: servingSystemNamespace },
        type: tlsSecretType,
        data: secretData({ 'tls.crt': pair.cert, 'tls.key': pair.key }),
      })
    } finally {
      this.#making = undefined
    }
  }

  #read(secret: Secret): Authority {
    const pair = tlsTextsIn(secret)
    if ('lacks' in pair) throw new AuthorityError(`it has no ${pair.lacks}`)
    let certificate: X509Certificate
    try {
      certificate = checkKeyPair(pair)
    } catch (thrown) {
      throw new AuthorityError(messageOf(thrown))
    }
    if (!certificate.ca) throw new AuthorityError('its certificate is not that of an authority')
    if (Date.parse(certificate.validTo) <= this.#deps.clock.now()) {
      throw new AuthorityError(`it expired on ${certificate.validTo}`)
    }
    return { ...pair, certificate }
  }
}

/** The ConfigMap that users and programs trust. */
async function publish(cert: string, context: ReconcileContext): Promise<void> {
  const known = context.get<Resource & { data?: Record<string, string> }>(
    'ConfigMap',
    servingSystemNamespace,
    authorityName,
  )
  if (known?.data?.['ca.crt'] === cert) return
  const labels = { [trustBundleLabel]: 'true' }
  const metadata = { name: authorityName, namespace: servingSystemNamespace, labels }
  await context.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': cert } } as Resource)
}
