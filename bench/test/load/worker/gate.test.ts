import t from 'tap'
import { rateGate, windowGate } from '../../../src/load/worker/gate.ts'

t.test('a window lets so many pass, and one more for each that has arrived', async t => {
  const gate = windowGate(2)
  let passed = 0
  const tryToPass = async () => {
    await gate.pass()
    passed++
  }
  const tries = Array.from({ length: 5 }, tryToPass)
  await Promise.all(tries.slice(0, 2))
  t.equal(passed, 2)
  gate.arrived(1)
  await tries[2]
  t.equal(passed, 3)
  gate.arrived(1)
  t.equal(passed, 3, 'a count that was told already opens nothing')
  gate.close()
  await Promise.all(tries)
  t.equal(passed, 5)
})

t.test('a closed window holds nobody up', async t => {
  const gate = windowGate(1)
  gate.close()
  const passes = await Promise.all([gate.pass(), gate.pass(), gate.pass()])
  t.equal(passes.length, 3)
})

t.test('a rate is never exceeded', async t => {
  const started = performance.now()
  const gate = rateGate(1_000)
  for (let event = 0; event < 50; event++) await gate.pass()
  t.ok(performance.now() - started >= 49, 'fifty events at a thousand a second take fifty milliseconds')
  gate.close()
  t.equal(gate.pass(), undefined, 'and a closed one holds nobody up')
})
