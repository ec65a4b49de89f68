import t from 'tap'
import { testFaults } from './faults.ts'
import { startCounting } from './system.ts'

const system = await startCounting(t)
await testFaults(t, system, system.endpoints.edge as string)
