// Addresses of Services: a Service gets the same one each time it is made, unless another has it.
import { createHash } from 'node:crypto'

/** 10.96.0.0/12, the range that kubeadm gives to Services. */
const rangeStart = (10 << 24) + (96 << 16)
const rangeSize = 2 ** 20
/** The first addresses stay free for fixed ones: the API (`.1`) and DNS (`.10`). */
const reserved = 256

/** The address of `namespace/name`, or the next one after it that is not taken. */
export function clusterIpFor(namespacedName: string, taken: ReadonlySet<string> = new Set()): string {
  const start = createHash('sha256').update(namespacedName).digest().readUInt32BE(0)
  for (let step = 0; step < rangeSize; step++) {
    const ip = ipText(rangeStart + reserved + ((start + step) % (rangeSize - reserved - 1)))
    if (!taken.has(ip)) return ip
  }
  throw new Error('every ClusterIP is taken')
}

const ipText = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.')
