// How CESQL turns values of one type into another. Source: CloudEvents SQL 1.0, section 3.7.
import type { CesqlType, CesqlValue } from './ast.ts'

const integerText = /^[+-]?[0-9]+$/
const integerMin = -2_147_483_648
const integerMax = 2_147_483_647

export const zeroValues: Record<CesqlType, CesqlValue> = { Boolean: false, Integer: 0, String: '' }

export function typeOf(value: CesqlValue): CesqlType {
  if (typeof value === 'string') return 'String'
  return typeof value === 'number' ? 'Integer' : 'Boolean'
}

/** The value as `type`, or `undefined` when it cannot be cast. */
export function castValue(value: CesqlValue, type: CesqlType): CesqlValue | undefined {
  if (type === 'String') return typeof value === 'string' ? value : String(value)
  return type === 'Integer' ? castToInteger(value) : castToBoolean(value)
}

function castToInteger(value: CesqlValue): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (!integerText.test(value)) return undefined
  const integer = Number(value)
  return integer >= integerMin && integer <= integerMax ? integer + 0 : undefined
}

function castToBoolean(value: CesqlValue): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  const lower = value.toLowerCase()
  if (lower === 'true') return true
  return lower === 'false' ? false : undefined
}
