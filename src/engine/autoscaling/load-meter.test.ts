import assert from 'node:assert/strict'
import test from 'node:test'
import { LoadMeter } from './load-meter.ts'
import { settingsOf } from './test-settings.ts'

const sample = (averageConcurrency: number, requestCount = 0) => ({ averageConcurrency, requestCount })

test('the first second stands alone, in both windows', () => {
  const meter = new LoadMeter(settingsOf())
  assert.equal(meter.hasData(100), false)
  meter.begin(99, false)
  meter.record(100, sample(40))
  assert.deepEqual(meter.averages(100), { stable: 40, panic: 40 })
  assert.equal(meter.hasData(100), true)
})

test('instances that had nothing to do dilute what comes', () => {
  const meter = new LoadMeter(settingsOf())
  meter.begin(99, true)
  meter.record(100, sample(60))
  assert.deepEqual(meter.averages(100), { stable: 1, panic: 10 })
})

test('a second is recorded once', () => {
  const meter = new LoadMeter(settingsOf())
  assert.equal(meter.isDue(5), true)
  meter.record(5, sample(1))
  assert.equal(meter.isDue(5), false)
  assert.equal(meter.isDue(6), true)
})

test('a sample that is late counts for each second of its time', () => {
  const concurrency = new LoadMeter(settingsOf())
  concurrency.begin(99, false)
  concurrency.record(103, sample(12))
  assert.deepEqual(concurrency.averages(103), { stable: 12, panic: 12 })
  const rps = new LoadMeter(settingsOf({ annotations: { metric: 'rps' } }))
  rps.begin(99, false)
  rps.record(103, sample(0, 40))
  assert.deepEqual(rps.averages(103), { stable: 10, panic: 10 })
})

test('windows that change keep what was measured, another metric begins anew', () => {
  const meter = new LoadMeter(settingsOf())
  for (let second = 0; second < 60; second++) meter.record(second, sample(second < 50 ? 0 : 30, 7))
  meter.configure(settingsOf({ annotations: { window: '10s' } }))
  assert.deepEqual(meter.averages(59), { stable: 30, panic: 30 })
  meter.configure(settingsOf({ annotations: { window: '10s', metric: 'rps' } }))
  assert.equal(meter.hasData(59), false)
})
