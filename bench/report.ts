// What a benchmark tells in the end: medians, goals that hold or do not, and its raw numbers.
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'

export interface Goal {
  name: string
  value: number
  relation: '<=' | '<' | '>='
  goal: number
}

export const results = join(import.meta.dirname, 'results')

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

export const fixed = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2))

export function holds({ value, relation, goal }: Goal): boolean {
  if (relation === '<=') return value <= goal
  return relation === '<' ? value < goal : value >= goal
}

/** Prints the goals, and keeps them with the raw numbers in `bench/results/NAME.json`. */
export async function report(name: string, goals: readonly Goal[], raw: Record<string, unknown>): Promise<void> {
  console.log('')
  for (const each of goals) {
    const verdict = holds(each) ? 'holds' : 'MISSED'
    const wanted = `goal ${each.relation} ${each.goal}`
    console.log(`${each.name.padEnd(46)} ${fixed(each.value).padStart(10)}   ${wanted.padEnd(14)} ${verdict}`)
  }
  await mkdir(results, { recursive: true })
  const machine = { at: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model }
  await writeFile(join(results, `${name}.json`), `${JSON.stringify({ ...machine, goals, ...raw }, undefined, 2)}\n`)
}
