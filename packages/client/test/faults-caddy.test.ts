import t from 'tap'
import { skipWithoutCaddy, startCaddy } from '../../../test/edges/caddy.ts'
import { testFaults } from './faults.ts'
import { startCounting } from './system.ts'

t.test('through Caddy', { skip: skipWithoutCaddy }, async t => {
  const system = await startCounting(t)
  await testFaults(t, system, await startCaddy(t, system))
})
