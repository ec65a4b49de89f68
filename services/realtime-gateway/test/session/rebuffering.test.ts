import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const LIMIT = 5
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { app, url } = await startGateway(t, surroundings, { REALTIME_HELD_EVENTS: String(LIMIT) })

for (const kind of TRANSPORT_KINDS) {
  t.test(`${kind}: when the buffer of a resuming client overflows, its history is read on, without loss`, async t => {
    const job = { userId: `buffer-${kind}`, jobId: 'a' }
    const before = await connect[kind](t, url, { token: tokenOf(job.userId) })
    await jobs.publish({ ...job, progress: 0 })
    await before.waitFor('job:progress')
    before.close()
    await until(() => app.hub.sessionsOf(job.userId) === undefined)

    const { history } = app.subscribeOptions
    const { replay } = history
    t.teardown(() => { history.replay = replay })
    let [published, rounds] = [0, 0]
    const publishMore = (count: number) => jobs.publish(...upTo(count).map(() => ({ ...job, progress: ++published })))
    // Twice, when the history is about to be read, the buffer overflows.
    history.replay = async (range, onPage) => {
      if (rounds++ < 2) {
        const [session] = app.hub.sessionsOf(job.userId) ?? []
        await publishMore(LIMIT + 1)
        await until(() => session?.cursor.overflowed)
      }
      return await replay(range, onPage)
    }
    const after = await connect[kind](t, url, { token: tokenOf(job.userId), lastEventId: before.lastEventId })
    await publishMore(1)
    await after.waitFor('job:progress', published)
    t.match(after.of('session'), [{ recovered: true }])
    t.same(after.of('job:progress').map(({ progress }) => progress), upTo(published).map(i => i + 1))
    t.match(await (await fetch(`${url}/metrics`)).text(), /tidings_realtime_rebuffers_total [1-9]/)
  })
}
