import type { Side } from '../stage/side.ts'
import { USERS } from './audience.ts'
import { call, eachOf } from './call.ts'

export interface SubmittedJob { id: string, user: number }

/** Submits the jobs of a run through the side's own REST, to users and queues in turn. */
export async function submitJobs (
  side: Pick<Side, 'jobs' | 'token'>,
  { run, jobs, queues = [] }: { run: number, jobs: number, queues?: string[] }
): Promise<SubmittedJob[]> {
  const submitted: SubmittedJob[] = []
  await eachOf(jobs, async job => {
    const user = job % USERS + 1
    const { jobId } = await call<{ jobId: string }>(`${side.jobs}/submit-job`, {
      method: 'POST', token: side.token(user), body: { name: 'bench', data: { run, job }, queue: queues[job % queues.length] }
    })
    submitted[job] = { id: jobId, user }
  })
  return submitted
}
