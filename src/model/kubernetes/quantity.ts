// Quantities of resources: `100m`, `1.5`, `512Mi`, `2e3`. Source: kubernetes/apimachinery pkg/api/resource/quantity.go.

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** Kubernetes' words for what is none. */
export const quantityRule =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** Longest text taken for a quantity, in characters. */
const quantityCharactersMax = 200

/** The number that a quantity means; `undefined` when it is none. */
export function parseQuantity(quantity: string | number): number | undefined {
  const text = String(quantity)
  if (text.length > quantityCharactersMax) return undefined
  const [, digits, exponent, suffix = ''] =
    /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  return Number(digits) * (exponent === undefined ? factors[suffix]! : 10 ** Number(exponent))
}
