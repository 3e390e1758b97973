// TLS certificates of Knode's own: self-signed ones for one machine, an authority, and what it signs. Source: RFC 5280
// (X.509), RFC 5758 (ECDSA with SHA-256), RFC 4055 (RSA with SHA-256).
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { bitString, content, none, objectId, octets, parts, pem, sequence, time, tlv, utf8, yes } from './der.ts'

export interface Certificate {
  /** PEM. */
  cert: string
  /** PEM, PKCS #8. Secret. */
  key: string
}

export interface CertificateOptions {
  /** Common name of the subject. */
  commonName: string
  /** DNS names and IP addresses the certificate is good for. */
  hosts: readonly string[]
  /** Start of its life, in milliseconds since 1970. */
  nowMs: number
  /** No longer than its authority's. @default 3650 */
  validDays?: number
  /** Who signs it. @default itself: then it is its own authority, so that clients trust it by its very text */
  authority?: Certificate
}

const dayMs = 86_400_000
/** Clocks of clients may be a little behind. */
const clockSkewMs = 300_000

/**
 * Makes a key (P-256) and a certificate for it.
 * @throws {Error} when the authority is none that can sign, e.g. for a key of another algorithm than EC and RSA.
 */
export function createCertificate(options: CertificateOptions): Certificate {
  const { commonName, hosts, authority } = options
  // Extended key usage: serverAuth.
  const forServers = [extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))), namesOf(hosts)]
  const own = authority === undefined
  return issue({ ...options, subject: nameOf(commonName) }, [
    ...usage({ isAuthority: own, signs: true }),
    ...forServers,
  ])
}

/** Makes an authority: it signs other certificates and is good for nothing else. */
export function createAuthority(options: Pick<CertificateOptions, 'commonName' | 'nowMs' | 'validDays'>): Certificate {
  return issue({ ...options, subject: nameOf(options.commonName) }, usage({ isAuthority: true, signs: false }))
}

type Issue = Pick<CertificateOptions, 'nowMs' | 'validDays' | 'authority'> & { subject: Buffer }

function issue({ nowMs, validDays = 3650, authority, subject }: Issue, extensions: Buffer[]): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha1')
    .update(content(parts(spki)[1]!).subarray(1))
    .digest()
  const signer = authority === undefined ? { name: subject, key: privateKey, keyId } : signerOf(authority)
  const untilMs = Math.min(nowMs + validDays * dayMs, signer.untilMs ?? Infinity)
  const algorithm = signatureAlgorithm(signer.key)
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    signer.name,
    sequence(time(nowMs - clockSkewMs), time(untilMs)),
    subject,
    spki,
    tlv(
      0xa3,
      sequence(
        ...extensions,
        extension('2.5.29.14', octets(keyId)),
        ...(signer.keyId === undefined ? [] : [extension('2.5.29.35', sequence(tlv(0x80, signer.keyId)))]),
      ),
    ),
  )
  const signature = sign('sha256', toBeSigned, { key: signer.key, dsaEncoding: 'der' })
  const der = sequence(toBeSigned, algorithm, bitString(signature, 0))
  return {
    cert: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

interface Signer {
  /** As it stands in the signer's own certificate. */
  name: Buffer
  key: KeyObject
  keyId?: Buffer | undefined
  untilMs?: number
}

function signerOf({ cert, key }: Certificate): Signer {
  const parsed = new X509Certificate(cert)
  const fields = parts(parts(parsed.raw)[0]!).filter((field) => field[0] !== 0xa0)
  const extensions = fields.find((field) => field[0] === 0xa3)
  const known = extensions === undefined ? [] : parts(parts(extensions)[0]!).map((each) => parts(each))
  const keyId = known.find(([id]) => id!.equals(objectId('2.5.29.14')))?.at(-1)
  return {
    name: fields[4]!,
    key: createPrivateKey(key),
    keyId: keyId && content(content(keyId)),
    untilMs: Date.parse(parsed.validTo),
  }
}

function signatureAlgorithm({ asymmetricKeyType: type }: KeyObject): Buffer {
  if (type === 'ec') return sequence(objectId('1.2.840.10045.4.3.2'))
  if (type === 'rsa') return sequence(objectId('1.2.840.113549.1.1.11'), none)
  throw new Error(`keys of type ${type} cannot sign here: use EC or RSA`)
}

// --- names and extensions ---

const nameOf = (commonName: string): Buffer => sequence(tlv(0x31, sequence(objectId('2.5.4.3'), utf8(commonName))))

const extension = (id: string, value: Buffer, { critical = false } = {}): Buffer =>
  sequence(objectId(id), ...(critical ? [yes] : []), octets(value))

/** Basic constraints and key usage: keyCertSign for authorities, digitalSignature for who speaks TLS. */
function usage({ isAuthority, signs }: { isAuthority: boolean; signs: boolean }): Buffer[] {
  const bits = (signs ? 0x80 : 0) | (isAuthority ? 0x04 : 0)
  return [
    extension('2.5.29.19', isAuthority ? sequence(yes) : sequence(), { critical: true }),
    extension('2.5.29.15', bitString(Buffer.from([bits]), isAuthority ? 2 : 7), { critical: true }),
  ]
}

function namesOf(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) => {
    const address = addressBytes(host)
    return address === undefined ? tlv(0x82, Buffer.from(host)) : tlv(0x87, address)
  })
  return extension('2.5.29.17', sequence(...names))
}

/** The bytes of an IP address; undefined for a name. */
function addressBytes(host: string): Buffer | undefined {
  if (isIPv4(host)) return Buffer.from(host.split('.').map(Number))
  if (!isIPv6(host)) return undefined
  // The URL parser writes an embedded IPv4 address as two groups.
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::')
  const groups = (text = ''): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [start, end] = [groups(head), groups(tail)]
  const middle = Array.from({ length: 8 - start.length - end.length }, () => 0)
  return Buffer.from([...start, ...middle, ...end].flatMap((group) => [group >> 8, group & 255]))
}
