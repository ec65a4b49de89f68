import type { FastifyInstance } from 'fastify'
import { tokenOf, until } from '@tidings/testing'

type Submit = { user?: string | number, name?: string, [field: string]: unknown }

/** Submits a job as a client does, again while a busy machine makes the service shed load; returns its id. */
export async function submit (
  app: FastifyInstance, { user = 7, name = 'work', ...fields }: Submit = {}
): Promise<string> {
  const answer = await until(async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/submit-job',
      headers: { authorization: `Bearer ${tokenOf(user)}` },
      payload: { name, ...fields }
    })
    return !answer.body.includes('problem:overloaded') && answer
  }, { intervalMs: 200, what: 'an answer of a service that is not overloaded' })
  if (answer.statusCode !== 202) throw new Error(`submit returned ${answer.statusCode}: ${answer.body}`)
  return answer.json<{ jobId: string }>().jobId
}
