import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { ObjectState } from './object-state.ts'
import { anObject } from './small-world.ts'

const at = (resourceVersion: string): Resource => anObject('Lamp', 'desk', { metadata: { resourceVersion } })
const writing = (state: ObjectState, from: string, to: string, meanwhile: () => void = () => undefined) =>
  state.write(at(from), async () => {
    meanwhile()
    return at(to)
  })

describe('own writes', () => {
  test('stand in for the cached object until the cache shows them', async () => {
    const state = new ObjectState(at('1'))
    await writing(state, '1', '2')
    assert.equal(state.newest(at('1')).metadata.resourceVersion, '2')
    assert.equal(state.isOwnWrite(at('2')), true)
    assert.equal(state.newest(at('2')).metadata.resourceVersion, '2')
    assert.equal(state.newest(at('1')).metadata.resourceVersion, '1')
  })

  test('several in a row stand in for all the states they follow, and are known when they appear', async () => {
    const state = new ObjectState(at('1'))
    await writing(state, '1', '2')
    await writing(state, '2', '3')
    assert.equal(state.newest(at('1')).metadata.resourceVersion, '3')
    assert.deepEqual([state.isOwnWrite(at('2')), state.isOwnWrite(at('3'))], [true, true])
  })

  test('give way to what others wrote later', async () => {
    const state = new ObjectState(at('1'))
    await writing(state, '1', '2')
    assert.equal(state.isOwnWrite(at('3')), false)
    assert.equal(state.newest(at('3')).metadata.resourceVersion, '3')
  })

  test('that follow a write of somebody else do not stand in for what was before it', async () => {
    const state = new ObjectState(at('1'))
    await writing(state, '1', '2')
    await writing(state, '5', '6')
    assert.equal(state.newest(at('1')).metadata.resourceVersion, '1')
    assert.equal(state.newest(at('5')).metadata.resourceVersion, '6')
  })

  test('that the cache shows before they return are known all the same', async () => {
    const state = new ObjectState(at('1'))
    const { missedOther } = await writing(state, '1', '2', () => assert.equal(state.isOwnWrite(at('2')), true))
    assert.equal(missedOther, false)
  })

  test('tell when somebody else wrote right after them', async () => {
    const state = new ObjectState(at('1'))
    const { missedOther } = await writing(state, '1', '2', () => {
      state.isOwnWrite(at('2'))
      state.isOwnWrite(at('3'))
    })
    assert.equal(missedOther, true)
  })

  test('that changed nothing tell when somebody else wrote meanwhile', async () => {
    const state = new ObjectState(at('1'))
    const { missedOther } = await writing(state, '1', '1', () => void state.isOwnWrite(at('2')))
    assert.equal(missedOther, true)
  })

  test('that failed leave no trace', async () => {
    const state = new ObjectState(at('1'))
    await assert.rejects(state.write(at('1'), () => Promise.reject(new Error('disk'))))
    assert.equal(state.newest(at('1')).metadata.resourceVersion, '1')
    assert.equal(state.isOwnWrite(at('2')), false)
  })
})
