import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Jobs, JobSchemas, ResultOptions } from './jobs.ts'
import type { OutputOf, Schema } from './schema.ts'
import type { Job, JobList, ListJobsQuery } from './types.ts'

/** What of a client the queries use; a client with schemas of its own fits. */
export interface QueryableClient { jobs: Pick<Jobs<JobSchemas>, 'watch' | 'list'> }

export type JobQueryOptions<S> = Omit<ResultOptions<S>, 'signal' | 'after'>

export type JobsQueryFilter = Omit<ListJobsQuery, 'page' | 'cursor'>

/**
 * A job as it changes: its data is the newest snapshot, and it is `fetching` until the job ends. It stops when nothing
 * observes it any more, and after an end it is fresh until it is invalidated, as after a retry.
 */
export function jobQuery<S extends Schema<unknown, unknown> = Schema> (
  { jobs }: QueryableClient, id: string, options: JobQueryOptions<S> = {}
) {
  return queryOptions<Job<OutputOf<S>>>({
    queryKey: ['tidings', 'job', id, options.queue],
    queryFn: async ({ client, queryKey, signal }) => {
      let last: Job<OutputOf<S>> | undefined
      for await (const job of jobs.watch(id, { ...options, signal })) client.setQueryData(queryKey, last = job)
      return last as Job<OutputOf<S>>
    },
    retry: false, // what may succeed later is tried again by the watch
    staleTime: ({ state: { data } }) => data && (data.state === 'completed' || data.state === 'failed') ? Infinity : 0
  })
}

/** Pages of jobs, newest first. */
export function jobsQuery ({ jobs }: QueryableClient, filter: JobsQueryFilter = {}) {
  return infiniteQueryOptions({
    queryKey: ['tidings', 'jobs', filter],
    queryFn: async ({ pageParam, signal }): Promise<JobList> =>
      await jobs.list({ ...filter, ...(pageParam && { cursor: pageParam }), signal }).page(),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ pagination }: JobList) => pagination.next ?? undefined
  })
}
