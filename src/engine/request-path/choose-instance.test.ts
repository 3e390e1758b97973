import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { chooseInstance } from './choose-instance.ts'

const options = (turn = 0) => ({ random: seededRandom(1), turn })
const busy = (...inFlight: number[]) => inFlight.map((count) => ({ inFlight: count }))

test('without a limit the less busy of two is taken, and there is always room', () => {
  const instances = busy(90, 3)
  for (let turn = 0; turn < 20; turn++) assert.equal(chooseInstance(instances, 0, options(turn)), instances[1])
  assert.equal(chooseInstance(busy(1_000), 0, options())!.inFlight, 1_000)
})

test('up to three requests at a time, the first instance with room is filled', () => {
  const instances = busy(2, 1, 0)
  assert.equal(chooseInstance(instances, 2, options(5)), instances[1])
})

test('above, instances take turns, and full ones are passed over', () => {
  const instances = busy(0, 4, 0)
  assert.equal(chooseInstance(instances, 4, options(0)), instances[0])
  assert.equal(chooseInstance(instances, 4, options(1)), instances[2])
  assert.equal(chooseInstance(instances, 4, options(2)), instances[2])
})

test('no room is no instance', () => {
  assert.equal(chooseInstance([], 0, options()), undefined)
  assert.equal(chooseInstance(busy(1), 1, options()), undefined)
  assert.equal(chooseInstance(busy(9, 9), 9, options()), undefined)
})
