import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
// A client hangs as long as this machine needs to publish everything: waiting bytes, not time, make it slow.
const { app, url } = await startGateway(t, surroundings, { REALTIME_SLOW_MS: '120000' })

// More than the kernel's buffers between two sockets can take.
const PAD = 'x'.repeat(32 * 1024)
const COUNT = 600
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const batches = upTo(COUNT / 20).map(i => upTo(20).map(j => i * 20 + j))

for (const kind of TRANSPORT_KINDS) {
  t.test(kind, async t => {
    t.test('superseded progress is dropped for a hanging client; it gets the newest when it reads again', async t => {
      const job = { userId: `${kind}-dropped`, jobId: `${kind}-dropped` }
      const client = await connect[kind](t, url, { token: tokenOf(job.userId) })
      client.hang()
      for (const batch of batches) await jobs.publish(...batch.map(i => ({ ...job, progress: { i, PAD } })))
      await jobs.publish({ ...job, type: 'completed', result: 'done' })
      client.read()
      await client.waitFor('job:completed')
      const seen = client.of('job:progress').map(({ progress }) => (progress as { i: number }).i)
      t.ok(seen.length < COUNT, `${seen.length} of ${COUNT} were sent`)
      t.equal(seen.at(-1), COUNT - 1)
      t.ok(seen.every((i, at) => at === 0 || i > (seen[at - 1] ?? i)))
      t.equal(client.received.at(-1)?.event, 'job:completed')
    })

    t.test('a hanging client is closed as slow when no event can be dropped; others miss nothing', async t => {
      const userId = `${kind}-slow`
      const client = await connect[kind](t, url, { token: tokenOf(userId) })
      const bystander = await connect[kind](t, url, { token: tokenOf(userId) })
      const [hung] = app.hub.sessionsOf(userId) ?? []
      client.hang()
      let most = 0
      for (const batch of batches) {
        await jobs.publish(
          ...batch.map(i => ({ userId, jobId: `${kind}-${i}`, type: 'completed' as const, result: { i, PAD } }))
        )
        most = Math.max(most, hung?.transport.unsentBytes ?? 0)
      }
      await bystander.waitFor('job:completed', COUNT)
      t.same(bystander.of('job:completed').map(({ result }) => (result as { i: number }).i), upTo(COUNT))
      await until(() => hung?.hasEnded)
      t.ok(most < 2 * 1024 * 1024, `${most} bytes were unsent`)
      t.notOk(bystander.gone)

      client.read()
      t.same(await client.waitForEnd(), { reason: 'slow', reconnect: true })
      const got = client.of('job:completed').map(({ result }) => (result as { i: number }).i)
      t.same(got, upTo(got.length), 'without a gap up to its end')

      const { lastEventId } = client
      const again = await connect[kind](t, url, { token: tokenOf(userId), lastEventId })
      await again.waitFor('job:completed', COUNT - got.length)
      t.match(again.of('session'), [{ recovered: true }])
      t.same(
        again.of('job:completed').map(({ result }) => (result as { i: number }).i),
        upTo(COUNT).slice(got.length),
        'it resumes where it was'
      )
    })
  })
}
