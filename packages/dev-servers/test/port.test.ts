import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { freePort, isPortFree, PortTakenError } from '../src/index.ts'
import { startOnPort } from '../src/port.ts'

async function occupy (t: Test, port = 0): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return (server.address() as AddressInfo).port
}

const anywhere = { port: undefined, host: '127.0.0.1', what: 'a test' }

t.test('a port is free or not', async t => {
  t.ok(await isPortFree(await freePort()))
  t.notOk(await isPortFree(await occupy(t)))
})

t.test('a given port that is taken is reported, and nothing is started', async t => {
  const port = await occupy(t)
  await t.rejects(startOnPort({ ...anywhere, port }, async () => t.fail('started')), new PortTakenError(port, 'a test'))
})

t.test('without a given port, a port that was taken meanwhile is replaced by another', async t => {
  const tried: number[] = []
  const port = await startOnPort(anywhere, async chosen => {
    tried.push(chosen)
    if (tried.length === 1) {
      await occupy(t, chosen)
      throw new Error('address in use')
    }
    return chosen
  })
  t.equal(port, tried[1])
})

t.test('a failure that is not about the port is passed on unchanged', async t => {
  await t.rejects(startOnPort(anywhere, async () => { throw new Error('no memory') }), { message: 'no memory' })
})
