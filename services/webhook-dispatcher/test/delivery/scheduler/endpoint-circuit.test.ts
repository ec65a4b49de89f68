import t from 'tap'
import { EndpointCircuit, TRIP_AFTER } from '../../../src/delivery/scheduler/endpoint-circuit.ts'
import { PostgresClock } from '../../../src/delivery/scheduler/postgres-clock.ts'

const MINUTE = 60_000

const newCircuit = () => new EndpointCircuit(new PostgresClock())

function fail (circuit: EndpointCircuit, times: number): void {
  for (let i = 0; i < times; i++) circuit.record(false, undefined)
}

t.test('a circuit is closed, failing, half-open, and closed again after a success', async t => {
  const circuit = newCircuit()
  t.equal(circuit.state, 'closed')
  fail(circuit, TRIP_AFTER - 1)
  t.equal(circuit.state, 'failing')
  fail(circuit, 1)
  t.equal(circuit.state, 'half-open', 'only Postgres opens it')
  circuit.record(true, undefined)
  t.equal(circuit.state, 'closed')
})

t.test('a pause that an endpoint asks for throttles it; with many failures its circuit is open', async t => {
  const circuit = newCircuit()
  circuit.record(false, Date.now() + MINUTE)
  t.equal(circuit.state, 'throttled')
  fail(circuit, TRIP_AFTER)
  t.equal(circuit.state, 'open')
  circuit.reset()
  t.equal(circuit.state, 'closed')
})

t.test('failures and pauses of other replicas count, and a success here does not end them', async t => {
  const circuit = newCircuit()
  circuit.sync({ failures: TRIP_AFTER, open_until: Date.now() + MINUTE })
  circuit.record(true, undefined)
  t.equal(circuit.state, 'open')
  circuit.sync({ failures: TRIP_AFTER, open_until: Date.now() - MINUTE })
  t.equal(circuit.state, 'half-open')
  circuit.sync({ failures: 0, open_until: 0 })
  t.equal(circuit.state, 'closed')
  t.equal(circuit.wasFailing, false)
})

t.test('a success of another replica ends the failures that were seen here and recorded', async t => {
  const circuit = newCircuit()
  fail(circuit, 2)
  circuit.sync({ failures: 0, open_until: 0 })
  t.equal(circuit.state, 'failing', 'read before they were recorded')
  circuit.sync({ failures: 2, open_until: 0 })
  circuit.sync({ failures: 0, open_until: 0 })
  t.equal(circuit.state, 'closed')
})
