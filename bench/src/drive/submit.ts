import type { Side } from '../stage/side.ts'
import { USERS } from './audience.ts'
import { call, eachOf } from './call.ts'

export interface SubmittedJob { id: string, user: number }

/** Submits the jobs of a run, one user after the other, through the side's own REST. */
export async function submitJobs (side: Side, { run, jobs }: { run: number, jobs: number }): Promise<SubmittedJob[]> {
  const submitted: SubmittedJob[] = []
  await eachOf(jobs, async job => {
    const user = job % USERS + 1
    const { jobId } = await call<{ jobId: string }>(`${side.jobs}/submit-job`, {
      method: 'POST', token: side.token(user), body: { name: 'bench', data: { run, job } }
    })
    submitted[job] = { id: jobId, user }
  })
  return submitted
}
