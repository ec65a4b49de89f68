import t from 'tap'
import { seededRandom } from './random.ts'
import { Simulation } from './simulation.ts'
import { variants } from './deliveries.ts'

t.test('a schedule is the same each time', async t => {
  const traces = []
  for (let n = 0; n < 2; n++) {
    const simulation = new Simulation(7)
    await simulation.run(variants['with faults'] as NonNullable<typeof variants[string]>)
    traces.push(simulation.trace)
  }
  t.ok((traces[0]?.length ?? 0) > 100)
  t.same(traces[0], traces[1])
})

t.test('another seed is another schedule', async t => {
  const numbers = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 10 }, () => random.below(1000))
  }
  t.same(numbers(1), numbers(1))
  t.not(String(numbers(1)), String(numbers(2)))
})

t.test('the requests of a connection are executed in their order, also those of a crashed process', async t => {
  const expected = [0, 1, 2, 3, 4]
  const wrong = []
  for (let seed = 1; seed <= 50; seed++) {
    const simulation = new Simulation(seed)
    const executed: number[] = []
    const replies: number[] = []
    await simulation.run(async () => {
      const process = simulation.spawn('client', process => {
        const connection = simulation.connect(process, 'store')
        for (let n = 0; n < 5; n++) {
          connection.call(`request ${n}`, () => { executed.push(n) }).then(() => { replies.push(n) }, () => {})
        }
      })
      await simulation.steps(() => replies.length === 2)
      simulation.crash(process)
      let steps = 0
      await simulation.steps(() => steps++ === 20)
    })
    const isInOrder = String(executed) === String(expected.slice(0, executed.length)) && String(replies) === '0,1'
    if (!isInOrder) wrong.push({ seed, executed, replies })
  }
  t.same(wrong, [])
})
