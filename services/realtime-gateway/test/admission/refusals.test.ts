import t from 'tap'
import WebSocket from 'ws'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { Refused } from '../setup/client.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const surroundings = await startSurroundings(t)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

for (const kind of TRANSPORT_KINDS) {
  t.test(`${kind}: of a rush of clients some are asked to retry, and each refusal is counted`, async t => {
    const { url } = await startGateway(
      t, surroundings, { REALTIME_CONNECTS_PER_SECOND: '5', CORS_ORIGIN: 'https://ours.example' }
    )
    const counted = async (outcome: string) => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(
        new RegExp(`realtime_connects_total\\{transport="${kind}",outcome="${outcome}"\\} (\\d+)`).exec(metrics)?.[1]
      )
    }

    await t.rejects(
      connect[kind](t, url, { token: tokenOf(1), origin: 'https://theirs.example' }), { code: /connection|403/ }
    )
    t.equal(await counted('origin_refused'), 1)

    const answers = await Promise.all(
      upTo(40).map(async i => await connect[kind](t, url, { token: tokenOf(i) }).catch((err: unknown) => err))
    )
    const refused = answers.filter(answer => answer instanceof Refused)
    t.ok(refused.length > 0 && refused.length < answers.length, `${refused.length} of ${answers.length}`)
    t.ok(refused.every(({ code }) => /connection|503/.test(code)))
    t.equal(await counted('too_many_connects'), refused.length)
    await until(() => connect[kind](t, url, { token: tokenOf(1) }))

    await until(
      () => connect[kind](t, url, { token: 'nonsense' }).catch((err: Refused) => /token_invalid|401/.test(err.code))
    )
    t.equal(await counted('token_invalid'), 1)
  })
}

t.test('tickets count against the connect rate', async t => {
  const { url } = await startGateway(t, surroundings, { REALTIME_CONNECTS_PER_SECOND: '5' })
  const init = { method: 'POST', headers: { authorization: `Bearer ${tokenOf(1)}` } }
  const answers = await Promise.all(upTo(40).map(() => fetch(`${url}/auth/ticket`, init)))
  const refused = answers.filter(({ status }) => status === 503)
  t.ok(refused.length > 0 && refused.length < answers.length, `${refused.length} of ${answers.length}`)
  t.ok(refused.every(({ headers }) => headers.get('retry-after')))
  t.equal(answers.filter(({ status }) => status === 201).length, answers.length - refused.length)
})

t.test('a connection of Socket.IO that requests its session many times at once gets none', async t => {
  const { app, url } = await startGateway(t, surroundings)
  const bystander = await connect['socket.io'](t, url, { token: tokenOf('flood') })
  for (const token of [tokenOf('flood'), 'nonsense']) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    await new Promise(resolve => { socket.once('open', resolve) })
    const gone = new Promise(resolve => { socket.once('close', resolve) })
    for (let i = 0; i < 1000; i++) socket.send(`40${JSON.stringify({ token })}`)
    await gone
  }
  await until(() => app.hub.sessionsOf('flood')?.size === 1, { what: 'only the other session to be left' })
  const asked = (await app.meters.connects.get()).values.reduce((sum, { value }) => sum + value, 0)
  t.ok(asked <= 4, `${asked} were looked at`)
  t.notOk(bystander.gone)
})
