// Provides the certificates that are asked for, signed by an authority of Knode's own: nobody else would answer here.
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { controllerOf, controllerRef, kubernetesTime } from '../../../model/kubernetes/resource.ts'
import { secretData, tlsSecretType, tlsTextsIn } from '../../../model/kubernetes/tls-secret.ts'
import { defaultCertificateClass, knodeCertificateClass } from '../../../model/serving/network-config.ts'
import { networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import type { Secret } from '../../core/secret/schema.ts'
import { AuthorityError, AuthorityKeeper } from './authority.ts'
import type { Authority } from './authority.ts'
import { issue, lifeOf } from './issue.ts'
import type { Life } from './issue.ts'
import type { Certificate } from './schema.ts'

const ourClasses: ReadonlySet<string | undefined> = new Set([undefined, knodeCertificateClass, defaultCertificateClass])

/** What a certificate can be for; what else a name may be, no client would ever compare it with. */
const dnsName = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i
const dnsNameMax = 253

export class CertificateReconciler implements Reconciler<Certificate> {
  readonly conditions = { dependents: [] }
  #deps: Pick<KindDeps, 'clock'>
  #keeper: AuthorityKeeper

  constructor(deps: Pick<KindDeps, 'client' | 'clock'>) {
    this.#deps = deps
    this.#keeper = new AuthorityKeeper(deps)
  }

  isOurs({ metadata }: Certificate): boolean {
    return ourClasses.has(networkAnnotation(metadata.annotations, networkAnnotations.certificateClass))
  }

  async reconcile(certificate: Certificate, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { metadata, spec } = certificate
    const { dnsNames = [], secretName = '' } = spec
    const strange = dnsNames.find((name) => name.length > dnsNameMax || !dnsName.test(name))
    if (strange !== undefined) {
      return conditions.markFalse('Ready', 'InvalidDNSName', `${JSON.stringify(strange)} is no DNS name.`)
    }
    const secret = context.get<Secret>('Secret', metadata.namespace ?? '', secretName)
    if (secret !== undefined && controllerOf(secret)?.uid !== metadata.uid) {
      return conditions.markFalse(
        'Ready',
        'NotOwned',
        `There is an existing Secret "${secretName}" that we do not own.`,
      )
    }
    let life: Life
    try {
      life = await this.#keep(certificate, secret, await this.#keeper.authority(context), context)
    } catch (thrown) {
      if (!(thrown instanceof AuthorityError)) throw thrown
      return conditions.markFalse('Ready', 'AuthorityInvalid', thrown.message)
    }
    const { expiresMs, renewsMs } = life
    certificate.status = { ...certificate.status, notAfter: kubernetesTime(expiresMs) }
    conditions.markTrue('Ready')
    context.requeueAfter((renewsMs ?? expiresMs) - this.#deps.clock.now())
  }

  async #keep(
    certificate: Certificate,
    secret: Secret | undefined,
    authority: Authority,
    context: ReconcileContext,
  ): Promise<Life> {
    const nowMs = this.#deps.clock.now()
    const { dnsNames = [], secretName = '' } = certificate.spec
    const present = secret === undefined ? undefined : tlsTextsIn(secret)
    const left = present && 'cert' in present ? lifeOf(present, dnsNames, authority, nowMs) : undefined
    if (left !== undefined) return left
    const { pair, life } = issue(dnsNames, authority, nowMs)
    await context.apply<Secret>({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: secretName,
        namespace: certificate.metadata.namespace ?? '',
        ownerReferences: [controllerRef(certificate)],
      },
      type: tlsSecretType,
      data: secretData({ 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': authority.cert }),
    })
    context.event('Normal', 'Issued', `Issued a certificate that is good until ${kubernetesTime(life.expiresMs)}`)
    return life
  }
}
