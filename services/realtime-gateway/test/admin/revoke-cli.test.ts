import { fileURLToPath } from 'node:url'
import t from 'tap'
import { spawnService, tokenOf, type TestContext } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

async function revoke (t: TestContext, args: string[]) {
  const cli = await spawnService(
    t, { entry: fileURLToPath(new URL('../../src/admin/revoke-cli.ts', import.meta.url)), args }
  )
  const { code } = await cli.exited
  return { code, output: cli.output() }
}

t.test('it ends a user\'s sessions on all replicas through the admin server of one', async t => {
  const surroundings = await startSurroundings(t)
  const [one, two] = await Promise.all(
    [startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' }), startGateway(t, surroundings)]
  )
  const token = tokenOf(7)
  const clients = await Promise.all(
    TRANSPORT_KINDS.flatMap(kind => [one, two].map(({ url }) => connect[kind](t, url, { token })))
  )
  const bystander = await connect.websocket(t, two.url, { token: tokenOf(8) })
  const { code, output } = await revoke(t, ['--user', '7', '--url', one.internalUrl])
  t.equal(code, 0)
  t.match(output, /"userId":"7"/)
  for (const client of clients) t.same(await client.waitForEnd(), { reason: 'revoked', reconnect: false })
  t.notOk(bystander.gone)
})

t.test('it prints its usage, and what the gateway refused', async t => {
  const surroundings = await startSurroundings(t)
  const { internalUrl, url } = await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' })
  t.match(await revoke(t, ['--help']), { code: 0, output: /--user ID {2}whose sessions/ })
  t.match(await revoke(t, []), { code: 2, output: 'Whose sessions? Name the user by --user\n' })
  t.match(await revoke(t, ['--user', '7', '--url', 'nowhere']), { code: 2, output: /^--url takes a URL .*nowhere\n$/ })
  t.match(await revoke(t, ['--user', 'x'.repeat(200), '--url', internalUrl]), { code: 1, output: /400/ })
  t.match(
    await revoke(t, ['--user', '7', '--url', 'http://127.0.0.1:1']),
    { code: 1, output: /^No gateway answers at http:\/\/127.0.0.1:1: .*\n$/ }
  )
  for (const userId of ['9007199254740993', '7.5', '""']) {
    const answer = await fetch(
      `${internalUrl}/revocations`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"userId":${userId}}` }
    )
    t.equal(answer.status, 400, userId)
    t.match(await answer.json(), { errors: [{ path: /^body\.userId/ }] })
  }
  t.equal((await fetch(`${url}/revocations`, { method: 'POST' })).status, 404, 'the public port has no such route')
})
