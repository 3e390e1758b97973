// Protocol Buffers messages as Go programs write them, for tests.

/** A field: its number, and its value. */
export type Part = [number: number, value: number | bigint | string | Uint8Array | Part[]]

/** Writes a message: numbers as varints, texts and nested messages with their length. */
function encode(parts: Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint') return [varint(number * 8), varint(value)]
      const bytes = Array.isArray(value) ? encode(value) : Buffer.from(value as Uint8Array)
      return [varint(number * 8 + 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Buffer.from(bytes)
}

/** An object as kubectl sends it. */
export const envelope = (apiVersion: string, kind: string, raw: Part[]): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    encode([
      [
        1,
        [
          [1, apiVersion],
          [2, kind],
        ],
      ],
      [2, encode(raw)],
      [3, ''],
      [4, ''],
    ]),
  ])

/** `metadata` as a Go client writes it, with zero values. */
export const meta = (name: string): Part => [
  1,
  [
    [1, name],
    [2, ''],
    [7, 0],
    [8, []],
    [
      11,
      [
        [1, 'app'],
        [2, ''],
      ],
    ],
  ],
]
