import type { Pace } from '../load/worker/process.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import { createWebhook, deleteWebhook } from './receivers.ts'
import { runWorkload } from './run-workload.ts'
import type { WorkloadResult } from './run-workload.ts'

export interface HangingWorkload {
  events: number
  eventsPerJob: number
  pace: Pace
  /** How many users have one more webhook, which never responds. */
  hanging: number
}

/** Runs a workload on a subject that also has endpoints which hang. */
export async function runWithHanging (
  fixture: Fixture,
  subject: Subject,
  { hanging, ...load }: HangingWorkload
): Promise<WorkloadResult> {
  const users = Array.from({ length: hanging }, (_, index) => index + 1)
  const url = `${fixture.loads.sinkOrigin}/hang`
  const webhooks =
    await Promise.all(users.map(async user => ({ user, id: await createWebhook(subject, { user, url }) })))
  const result = await runWorkload(fixture, subject, load)
  await Promise.all(webhooks.map(webhook => deleteWebhook(subject, webhook)))
  await fixture.loads.sink.ask('release')
  return result
}
