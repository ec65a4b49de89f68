import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '@tidings/testing'
import type { Replica } from '../replica.ts'
import { random, type Random } from './random.ts'

const USERS = 7
const REQUEST_TIMEOUT_MS = 5000
const KINDS = ['succeeds', 'succeeds', 'fails', 'retries', 'stalls', 'late'] as const

/** What a job requests from its worker. */
export type ChaosJob = { kind: typeof KINDS[number], pause: number, obeys: boolean }

type LoadOptions = { replicas: Replica[], clients: number, seed: number, isOver: () => boolean }

/** Submits, cancels and retries at random until the end; returns the ids of all accepted jobs. */
export async function load ({ replicas, clients, seed, isOver }: LoadOptions): Promise<string[]> {
  const idsOfClients = await Promise.all(Array.from({ length: clients }, async (_, n) => {
    const chance = random(seed * 1000 + n)
    const ids: string[] = []
    const post = poster(replicas, { chance, user: n % USERS })
    for (let round = 0; !isOver(); round++) {
      const submitted = await submit(post, chance, `${n}-${round}`)
      ids.push(...submitted)
      if (chance.happens(0.15)) await post(`/jobs/${submitted[0]}/cancel`, { expected: [202, 409] })
      if (chance.happens(0.1)) await post(`/jobs/${ids[chance.between(0, ids.length)]}/retry`, { expected: [202, 409] })
      await sleep(chance.between(0, 800))
    }
    return ids
  }))
  return idsOfClients.flat()
}

/** Submits one job or a few, repeatedly with the same key until a response arrives. */
async function submit (post: Post, chance: Random, key: string): Promise<string[]> {
  if (chance.happens(0.8)) {
    const { jobId } = await post<{ jobId: string }>('/submit-job', { key, body: randomJob(chance), expected: [202] })
    return [jobId]
  }
  const body = { jobs: Array.from({ length: chance.between(1, 8) }, () => randomJob(chance)) }
  const { jobs } = await post<{ jobs: { jobId: string }[] }>('/submit-jobs', { key, body, expected: [202] })
  return jobs.map(({ jobId }) => jobId)
}

function randomJob (chance: Random) {
  const data: ChaosJob = { kind: chance.oneOf(KINDS), pause: chance.between(0, 900), obeys: chance.happens(0.5) }
  return {
    name: data.kind,
    data,
    attempts: 2,
    backoff: { type: 'fixed', delay: chance.between(1, 500) },
    ...(chance.happens(0.25) && { delay: chance.between(1, 3000) }),
    ...(chance.happens(0.1) && { priority: chance.between(1, 10) })
  }
}

type Post = <Answer>(path: string, request: { key?: string, body?: object, expected: number[] }) => Promise<Answer>

/** Posts to any replica, and retries while they are killed or frozen. */
function poster (replicas: Replica[], { chance, user }: { chance: Random, user: number }): Post {
  const authorization = `Bearer ${tokenOf(user)}`
  return async function post<Answer> (path: string, { key, body, expected }: Parameters<Post>[1]): Promise<Answer> {
    for (;;) {
      const { url } = replicas[chance.between(0, replicas.length)] as Replica
      const answer = await fetch(url + path, {
        method: 'POST',
        headers: {
          authorization, ...(key && { 'idempotency-key': key }), ...(body && { 'content-type': 'application/json' })
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS)
      }).then(async answer => ({ status: answer.status, text: await answer.text() }), () => undefined)
      if (answer && expected.includes(answer.status)) return JSON.parse(answer.text) as Answer
      if (answer && answer.status < 500) throw new Error(`${path} was answered ${answer.status}: ${answer.text}`)
      await sleep(50)
    }
  }
}
