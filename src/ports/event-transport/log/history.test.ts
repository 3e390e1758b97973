// Thousands of random histories, each compared with the model step by step.
import { it } from 'node:test'
import { playHistory } from './history.ts'

const count = Number(process.env['KNODE_HISTORIES'] ?? 10_000)
const seed = Number(process.env['KNODE_SEED'] ?? 1)
const progressEvery = 5_000

it(`the log behaves like the model in ${count} histories from seed ${seed}, through crashes and full disks`, async (test) => {
  const sum = { steps: 0, crashes: 0, repeated: 0 }
  for (let number = 0; number < count; number++) {
    try {
      const { steps, crashes, repeated } = await playHistory(seed + number)
      sum.steps += steps
      sum.crashes += crashes
      sum.repeated += repeated
    } catch (error) {
      throw new Error(`history ${seed + number} (again: KNODE_SEED=${seed + number} KNODE_HISTORIES=1)`, {
        cause: error,
      })
    }
    if ((number + 1) % progressEvery === 0) console.log(`${number + 1} of ${count} histories`)
  }
  test.diagnostic(`${sum.steps} steps, ${sum.crashes} crashes, ${sum.repeated} settled events handed over again`)
})
