import { EventEmitter } from 'node:events'
import type { Socket as Connection } from 'engine.io'
import t from 'tap'
import { limitPendingConnections } from '../../../src/transports/socket-io/pending-connections.ts'

function setup (max: number) {
  const gone: string[] = []
  const pending = limitPendingConnections({ max, onEvicted: () => {} })
  const connect = (name: string, address: string) => {
    const connection = Object.assign(new EventEmitter(), { close: () => { gone.push(name) } }) as unknown as Connection
    pending.add(connection, address)
    return connection
  }
  return { gone, pending, connect }
}

t.test('of too many pending connections the oldest is closed', async t => {
  const { gone, connect } = setup(4)
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) connect(name, `address ${name}`)
  t.same(gone, ['a', 'b'])
})

t.test('an address with more than half of them loses its own oldest', async t => {
  const { gone, connect } = setup(4)
  connect('bystander', 'theirs')
  for (const name of ['a', 'b', 'c', 'd', 'e']) connect(name, 'flood')
  t.same(gone, ['a', 'b', 'c'])
})

t.test('a connection with a session, or that is closed, does not count', async t => {
  const { gone, pending, connect } = setup(2)
  pending.remove(connect('a', '1'))
  connect('b', '2').emit('close')
  connect('c', '3')
  connect('d', '4')
  t.equal(pending.size, 2)
  t.same(gone, [])
})
