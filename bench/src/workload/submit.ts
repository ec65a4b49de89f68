import type { Subject } from '../fixture/subject.ts'
import { USERS } from './receivers.ts'
import { call, eachOf } from './call.ts'

export interface SubmittedJob { id: string, user: number }

/** Submits the jobs of a run through the REST API of the subject, for its users and queues in turn. */
export async function submitJobs (
  subject: Pick<Subject, 'jobs' | 'token'>,
  { run, jobs, queues = [] }: { run: number, jobs: number, queues?: string[] }
): Promise<SubmittedJob[]> {
  const submitted: SubmittedJob[] = []
  await eachOf(jobs, async job => {
    const user = job % USERS + 1
    const { jobId } = await call<{ jobId: string }>(`${subject.jobs}/submit-job`, {
      method: 'POST',
      token: subject.token(user),
      body: {
        name: 'bench',
        data: { run, job },
        queue: queues[job % queues.length]
      }
    })
    submitted[job] = { id: jobId, user }
  })
  return submitted
}
