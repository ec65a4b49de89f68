import type { Pace } from '../load/worker/process.ts'
import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import { createWebhook, deleteWebhook } from './audience.ts'
import { drive } from './drive.ts'
import type { Driven } from './drive.ts'

export interface JobLoad {
  events: number
  eventsPerJob: number
  pace: Pace
  /** So many users have one more webhook, which never answers. */
  hanging: number
}

/** Runs a load on a side, with endpoints that hang beside the healthy ones. */
export async function under (stage: Stage, side: Side, { hanging, ...load }: JobLoad): Promise<Driven> {
  const users = Array.from({ length: hanging }, (_, index) => index + 1)
  const url = `${stage.loads.sinkOrigin}/hang`
  const webhooks = await Promise.all(users.map(async user => ({ user, id: await createWebhook(side, { user, url }) })))
  const driven = await drive(stage, side, load)
  await Promise.all(webhooks.map(webhook => deleteWebhook(side, webhook)))
  await stage.loads.sink.ask('release')
  return driven
}
