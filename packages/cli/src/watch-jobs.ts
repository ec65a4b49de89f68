import type { Client, Job } from 'tidings'
import { clearAndDraw } from './draw.ts'
import { jobDuration, jobFormat, percentOf } from './job-text.ts'
import type { Output } from './output.ts'
import { oneLine, printable, shortened } from './text.ts'

const BAR = 24
const SHORT_BAR = 10
/** Fewer columns have no room for more than a short bar beside the id. */
const WIDE = 110
/** Lines are drawn at most this often. */
const DRAW_EVERY_MS = 60

interface WatchOptions { client: Client, out: Output, signal: AbortSignal, queue?: string | undefined }

/**
 * Shows jobs until all have ended: a bar for each on a terminal, else a line for each change. Resolves with the jobs as
 * they ended, in the order of their ids.
 */
export async function watchJobs (ids: readonly string[], { client, out, signal, queue }: WatchOptions): Promise<Job[]> {
  const jobs = new Map<string, Job>()
  const known = () => ids.map(id => jobs.get(id)).filter(job => job !== undefined)
  const board = out.isLive ? liveBoard(out, known) : undefined
  try {
    return await Promise.all(ids.map(async id => {
      let shown: string | undefined
      for await (const job of client.jobs.watch(id, { queue, signal })) {
        jobs.set(id, job)
        if (board) board.change()
        else {
          const text = out.json ? JSON.stringify(job) : jobLine(job, out)
          if (text !== shown) out.line(text)
          shown = text
        }
      }
      const last = jobs.get(id)
      if (!last) throw new Error(`The watch of job ${id} ended before its first snapshot`)
      return last
    }))
  } finally {
    board?.close()
  }
}

function liveBoard (out: Output, jobs: () => Job[]) {
  const draw = clearAndDraw(out)
  let timer: NodeJS.Timeout | undefined
  const show = () => {
    timer = undefined
    const room = Math.max(1, (process.stdout.rows || 24) - 2)
    const all = jobs()
    const lines = all.slice(0, room).map(job => jobLine(job, out))
    draw(all.length > room ? [...lines, out.style('dim', `… ${all.length - room} more`)] : lines)
  }
  return {
    change: () => { timer ??= setTimeout(show, DRAW_EVERY_MS) },
    close: () => {
      clearTimeout(timer)
      show()
    }
  }
}

/** A job on one line: state, bar, name, id, time, and its result or error. */
function jobLine (job: Job, out: Output): string {
  const { id, name, state, progress, result, failedReason } = job
  const percent = state === 'completed' ? 100 : percentOf(progress)
  const columns = out.isLive ? process.stdout.columns || 80 : 1000
  const length = columns < WIDE ? SHORT_BAR : BAR
  const filled = Math.round((percent ?? 0) / 100 * length)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(length - filled)}`
  const number = percent === undefined ? '    ' : `${String(Math.floor(percent)).padStart(3)}%`
  const rest = state === 'failed' ? failedReason ?? '' : state === 'completed' ? oneLine(result, 200) : ''
  const head = `${state.padEnd(9)} ${out.isLive ? `${bar} ` : ''}${number} `
  const tail = shortened(printable(`${name} ${id} ${jobDuration(job)} ${rest}`).trimEnd(), columns - head.length - 1)
  return `${out.style(jobFormat(state), head)}${tail}`
}
