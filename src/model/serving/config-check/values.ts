// Values of a ConfigMap as Knative reads them, with Go's words for those that are none.
// Source: knative/pkg configmap/parser/parse.go, Go strconv and time.
import { parseGoDuration } from '../../kubernetes/go-duration.ts'
import { parseQuantity, quantityRule } from '../../kubernetes/quantity.ts'
import type { ConfigData } from '../serving-config.ts'

const int32Max = 2_147_483_647n
const int64Max = 9_223_372_036_854_775_807n

/** All methods throw an Error that names the key, for values that are not of the kind. */
export class ConfigValues {
  #data: ConfigData

  constructor(data: ConfigData) {
    this.#data = data
  }

  /** The value of the last of these keys that is there: later ones are newer names. */
  text(keys: string | readonly string[], otherwise = ''): string {
    const found = [keys].flat().findLast((key) => this.#data[key] !== undefined)
    return found === undefined ? otherwise : this.#data[found]!.trim()
  }

  float(key: string, otherwise: number): number {
    return this.#read(key, otherwise, (text) => {
      if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw invalid('ParseFloat', text)
      return Number(text)
    })
  }

  int32(key: string, otherwise: number): number {
    return this.#read(key, otherwise, (text) => integer(text, int32Max))
  }

  int64(key: string, otherwise: number): number {
    return this.#read(key, otherwise, (text) => integer(text, int64Max))
  }

  bool(key: string, otherwise: boolean): boolean {
    return this.#read(key, otherwise, (text) => {
      if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
      if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
      throw invalid('ParseBool', text)
    })
  }

  durationMs(key: string, otherwise: number): number {
    return this.#read(key, otherwise, (text) => {
      const ms = parseGoDuration(text)
      if (ms === undefined) throw new Error(`time: invalid duration ${JSON.stringify(text)}`)
      return ms
    })
  }

  quantity(key: string): void {
    this.#read(key, undefined, (text) => {
      if (parseQuantity(text) === undefined) {
        throw new Error(quantityRule)
      }
      return undefined
    })
  }

  #read<Value>(key: string, otherwise: Value, parse: (text: string) => Value): Value {
    const text = this.#data[key]
    if (text === undefined) return otherwise
    try {
      return parse(text)
    } catch (thrown) {
      throw new Error(`failed to parse "${key}": ${(thrown as Error).message}`, { cause: thrown })
    }
  }
}

function integer(text: string, max: bigint): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid('ParseInt', text)
  const value = BigInt(text.replace('+', ''))
  if (value > max || value < -max - 1n) throw invalid('ParseInt', text, 'value out of range')
  return Number(value)
}

const invalid = (by: string, text: string, why = 'invalid syntax'): Error =>
  new Error(`strconv.${by}: parsing ${JSON.stringify(text)}: ${why}`)
