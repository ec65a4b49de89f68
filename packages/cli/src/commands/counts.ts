import type { JobCounts } from 'tidings'
import { serverCommand } from '../command.ts'
import { clearAndDraw } from '../draw.ts'
import { jobFormat } from '../job-text.ts'
import { sleep } from '../sleep.ts'

/** Events change the counts: they are read again after some, at most this often. */
const EVERY_MS = 500

export const counts = serverCommand({
  name: 'counts',
  description: 'How many jobs there are in each state',
  args: {
    watch: { type: 'boolean', description: 'Keep showing them as they change' }
  },
  run: async ({ args, client, out, signal }) => {
    const read = async () => await client.jobs.counts({ signal })
    const textOf = (counts: JobCounts) => Object.entries<number>(counts)
      .map(([state, count]) => out.style(jobFormat(state), `${state} ${count}`)).join('  ')
    const draw = clearAndDraw(out)
    const show = (counts: JobCounts) => out.isLive ? draw([textOf(counts)]) : out.value(counts, () => textOf(counts))
    let shown = await read()
    show(shown)
    if (!args.watch) return
    const events = client.events({ signal })
    await events.ready()
    for (let next = events.next(); ; next = events.next()) {
      const { done } = await next
      if (done) return
      await sleep(EVERY_MS, signal)
      const counts = await read()
      if (JSON.stringify(counts) !== JSON.stringify(shown)) show(counts)
      shown = counts
    }
  }
})
