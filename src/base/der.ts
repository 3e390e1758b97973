// As much of DER as certificates need: values written from the inside out, and taken apart again. Source: ITU-T X.690.

/** A value of any type; tags below are of X.690 section 8. */
export function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length: number[] = []
  for (let left = body.length; left > 0; left >>>= 8) length.unshift(left & 255)
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), body])
}

export const sequence = (...content: Buffer[]): Buffer => tlv(0x30, ...content)
export const octets = (...content: Buffer[]): Buffer => tlv(0x04, ...content)
export const bitString = (bits: Buffer, unusedBits: number): Buffer => tlv(0x03, Buffer.from([unusedBits]), bits)
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text))
export const yes = tlv(0x01, Buffer.from([0xff]))
export const none = tlv(0x05)

/** `2.5.4.3` */
export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const base128 = (value: number): number[] => {
    const digits = [value & 127]
    for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 127) | 128)
    return digits
  }
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** UTCTime up to 2049, GeneralizedTime from then on. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return text < '2050' ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text))
}

/** What is in a value, and for one made of others, those, each with its tag and length. */
export function content(value: Buffer): Buffer {
  const short = value[1]!
  return value.subarray(short < 0x80 ? 2 : 2 + (short & 0x7f))
}

export function parts(value: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let rest = content(value); rest.length > 1;) {
    const short = rest[1]!
    const bytes = short < 0x80 ? 0 : short & 0x7f
    const length = bytes === 0 ? short : rest.readUIntBE(2, bytes)
    found.push(rest.subarray(0, 2 + bytes + length))
    rest = rest.subarray(2 + bytes + length)
  }
  return found
}

export const pem = (label: string, der: Buffer): string =>
  [`-----BEGIN ${label}-----`, ...(der.toString('base64').match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join(
    '\n',
  )
