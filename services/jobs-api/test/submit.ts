import type { FastifyInstance } from 'fastify'
import { tokenOf } from '@tidings/testing'

type Submit = { user?: string | number, name?: string, [field: string]: unknown }

/** Submits a job as a client does; returns its id. */
export async function submit (
  app: FastifyInstance, { user = 7, name = 'work', ...fields }: Submit = {}
): Promise<string> {
  const answer = await app.inject({
    method: 'POST', url: '/submit-job', headers: { authorization: `Bearer ${tokenOf(user)}` }, payload: { name, ...fields }
  })
  if (answer.statusCode !== 202) throw new Error(`submit returned ${answer.statusCode}: ${answer.body}`)
  return answer.json<{ jobId: string }>().jobId
}
