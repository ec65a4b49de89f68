import createError from '@fastify/error'
import type { RawSql } from '@tidings/service-kit'
import type { JobKey } from './find-jobs.ts'

const JobNotFound = createError('JOB_NOT_FOUND', 'No job %s', 404)
const JobReplaced = createError('JOB_REPLACED', 'Job %s was replaced by job %s before it ran', 404)

/** The most replacements that are followed: a debounced job may have had thousands. */
const MAX_STEPS = 1000

/** The error for a job that does not exist; for a replaced job it names the last successor. */
export async function jobNotFound (sql: RawSql, key: JobKey): Promise<Error> {
  const successor = await findReplacement(sql, key)
  return successor === undefined ? new JobNotFound(key.jobId) : new JobReplaced(key.jobId, successor)
}

async function findReplacement (sql: RawSql, { userId, jobId, queue }: JobKey): Promise<string | undefined> {
  const [last] = await sql<{ replaced_by: string }[]>`
    with recursive chain as (
      (select queue, replaced_by, 1 as step from jobs.replaced
       where user_id = ${userId} and id = ${jobId} and (${queue ?? null}::text is null or queue = ${queue ?? null})
       order by replaced_at desc limit 1)
      union all
      select next.queue, next.replaced_by, step + 1 from chain
      join jobs.replaced next on next.user_id = ${userId} and next.id = chain.replaced_by and next.queue = chain.queue
      where step < ${MAX_STEPS}
    )
    select replaced_by from chain order by step desc limit 1`
  return last?.replaced_by
}
