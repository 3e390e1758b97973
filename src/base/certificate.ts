// A self-signed TLS certificate for one machine. Source: RFC 5280 (X.509) in DER, RFC 5758 (ECDSA with SHA-256).
import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'

export interface Certificate {
  /** PEM; it is its own authority, so clients trust it by this very text. */
  cert: string
  /** PEM, PKCS #8. Secret. */
  key: string
}

export interface CertificateOptions {
  /** Common name of subject and issuer. */
  commonName: string
  /** DNS names and IP addresses the certificate is good for. */
  hosts: readonly string[]
  /** Start of its life, in milliseconds since 1970. */
  nowMs: number
  /** @default 3650 */
  validDays?: number
}

const dayMs = 86_400_000
/** Clocks of clients may be a little behind. */
const clockSkewMs = 300_000

/** Makes a key (P-256) and a certificate for it. */
export function createCertificate({ commonName, hosts, nowMs, validDays = 3650 }: CertificateOptions): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(tlv(0x31, sequence(objectId('2.5.4.3'), tlv(0x0c, Buffer.from(commonName)))))
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2'))
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(nowMs - clockSkewMs), time(nowMs + validDays * dayMs)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions(hosts))),
  )
  const signature = sign('sha256', toBeSigned, { key: privateKey, dsaEncoding: 'der' })
  const der = sequence(toBeSigned, algorithm, bitString(signature, 0))
  return {
    cert: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions(hosts: readonly string[]): Buffer[] {
  const names = hosts.map((host) => {
    const address = addressBytes(host)
    return address === undefined ? tlv(0x82, Buffer.from(host)) : tlv(0x87, address)
  })
  const critical = tlv(0x01, Buffer.from([0xff]))
  const extension = (id: string, value: Buffer, ...flags: Buffer[]): Buffer =>
    sequence(objectId(id), ...flags, tlv(0x04, value))
  return [
    // Basic constraints: an authority. Key usage: digitalSignature and keyCertSign.
    extension('2.5.29.19', sequence(tlv(0x01, Buffer.from([0xff]))), critical),
    extension('2.5.29.15', bitString(Buffer.from([0x84]), 2), critical),
    // Extended key usage: serverAuth.
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...names)),
  ]
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

// --- DER ---

function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...content: Buffer[]): Buffer => tlv(0x30, ...content)
const bitString = (bits: Buffer, unused: number): Buffer => tlv(0x03, Buffer.from([unused]), bits)

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const base128 = (value: number): number[] => {
    const digits = [value & 127]
    for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 127) | 128)
    return digits
  }
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** UTCTime up to 2049, GeneralizedTime from then on. */
function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return text < '2050' ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text))
}

const pem = (label: string, der: Buffer): string =>
  [`-----BEGIN ${label}-----`, ...(der.toString('base64').match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join(
    '\n',
  )
