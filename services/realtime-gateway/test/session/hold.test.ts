import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { FACES } from '../../src/session/wire.ts'
import { connect } from '../setup/faces.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const HELD = 5
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { app, url } = await startGateway(t, surroundings, { REALTIME_HELD_EVENTS: String(HELD) })

for (const face of FACES) {
  t.test(`${face}: while more comes than may wait for a client that resumes, its history is read on, and nothing is missed`, async t => {
    const job = { userId: `hold-${face}`, jobId: 'a' }
    const before = await connect[face](t, url, { token: tokenOf(job.userId) })
    await jobs.tell({ ...job, progress: 0 })
    await before.waitFor('job:progress')
    before.close()
    await until(() => app.audience.of(job.userId) === undefined)

    const { history } = app.subscribing
    const { replay } = history
    t.teardown(() => { history.replay = replay })
    let [told, rounds] = [0, 0]
    const tellMore = (count: number) => jobs.tell(...upTo(count).map(() => ({ ...job, progress: ++told })))
    // Twice, when the history is about to be read, more comes than may wait.
    history.replay = async (range, onPage) => {
      if (rounds++ < 2) {
        const [session] = app.audience.of(job.userId) ?? []
        await tellMore(HELD + 1)
        await until(() => session?.feed.overflowed)
      }
      return await replay(range, onPage)
    }
    const after = await connect[face](t, url, { token: tokenOf(job.userId), lastEventId: before.lastEventId })
    await tellMore(1)
    await after.waitFor('job:progress', told)
    t.match(after.of('session'), [{ recovered: true }])
    t.same(after.of('job:progress').map(({ progress }) => progress), upTo(told).map(i => i + 1))
    t.match(await (await fetch(`${url}/metrics`)).text(), /tidings_realtime_held_anew_total [1-9]/)
  })
}
