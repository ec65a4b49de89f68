'use client'

import { createContext, createElement, useContext, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import type { Client } from './client.ts'
import type { Jobs, JobSchemas } from './jobs.ts'
import { createJobList, type JobListState, type JobsFilter } from './react/job-list.ts'
import { createStore, nextFrame } from './react/store.ts'
import type { Schema } from './schema.ts'
import type { Status } from './stream/status.ts'
import type { Job, JobList } from './types.ts'

export type { JobsFilter } from './react/job-list.ts'

/** What of a client the hooks use; a client with schemas of its own fits. */
export interface LiveClient extends Pick<Client, 'status' | 'onStatus' | 'onEvent'> {
  jobs: Pick<Jobs<JobSchemas>, 'watch' | 'list' | 'retry' | 'cancel'>
}

export interface UseJobOptions<Result> {
  /** With `false` nothing is asked for; what is known stays. */
  enabled?: boolean | undefined
  /** How the job stands, where that is known already, as on a page that the server has rendered. */
  initial?: Job<Result> | undefined
  /** Where the ids of jobs that others add repeat. */
  queue?: string | undefined
  /** What the result has to be; another one is an error with the code `invalid_value`. */
  result?: Schema<unknown, Result> | undefined
}

interface JobView<Result> {
  /** As it stands, or stood when the connection was lost. */
  job: Job<Result> | undefined
  /** `error`: it is not followed any more, for `error`; a connection that is lost is no error, and comes back. */
  status: 'idle' | 'loading' | 'watching' | 'ended' | 'error'
  error: unknown
}

export interface UseJob<Result> extends JobView<Result> {
  /** Lets the failed job run once more, and follows it. */
  retry: () => Promise<Job>
  cancel: () => Promise<Job>
}

export interface UseJobsOptions {
  /** A first page that is known already. */
  initial?: JobList | undefined
}

export interface UseJobs extends JobListState {
  /** Takes the new jobs into `jobs`. */
  showNew: () => void
  /** Appends older jobs to `jobs`. */
  loadMore: () => Promise<void>
}

const IDLE: Status = { state: 'idle', since: 0 }

const Context = createContext<LiveClient | undefined>(undefined)

/** Gives all below it a client. The client is yours to close; as a constant of a module it needs not be. */
export function TidingsProvider ({ client, children }: { client: LiveClient, children?: ReactNode }) {
  return createElement(Context.Provider, { value: client }, children)
}

/** The client of the provider. */
export function useTidings (): LiveClient {
  const client = useContext(Context)
  if (client) return client
  throw new Error('There is no TidingsProvider above')
}

/** The state of the connection that all `useJob` share. */
export function useTidingsStatus (): Status {
  const client = useTidings()
  return useSyncExternalStore(client.onStatus, () => client.status, () => IDLE)
}

/** A job as it changes. Without an id it waits for one. */
export function useJob<Result = unknown> (
  id: string | null | undefined, options: UseJobOptions<Result> = {}
): UseJob<Result> {
  const { enabled = true, queue } = options
  const client = useTidings()
  const store = useMemo(() => createJob(client, id, options), [client, id, enabled, queue])
  const view = useSyncExternalStore(store.subscribe, store.get, store.getInitial)
  return { ...view, retry: store.retry, cancel: store.cancel }
}

/** A list of jobs as they change: rows change in place, and new ones are counted until they are shown. */
export function useJobs (filter: JobsFilter = {}, { initial }: UseJobsOptions = {}): UseJobs {
  const client = useTidings()
  const key = JSON.stringify(filter)
  const store = useMemo(() => createJobList(client, JSON.parse(key) as JobsFilter, initial), [client, key])
  const state = useSyncExternalStore(store.subscribe, store.get, store.getInitial)
  return { ...state, showNew: store.showNew, loadMore: store.loadMore }
}

function createJob<Result> (
  client: LiveClient, id: string | null | undefined, { enabled = true, initial, queue, result }: UseJobOptions<Result>
) {
  const { jobs } = client
  const isOn = enabled && id
  const first: JobView<Result> = { job: initial, status: isOn ? 'loading' : 'idle', error: undefined }
  const store = createStore(first, (set, signal, after) => {
    const follow = async (id: string) => {
      for await (const job of jobs.watch(id, { queue, result, signal, after })) {
        const isFinal = job.state === 'completed' || job.state === 'failed'
        set({ job: job as Job<Result>, status: isFinal ? 'ended' : 'watching', error: undefined })
        await nextFrame()
      }
    }
    if (isOn) follow(id).catch((error: unknown) => set({ status: 'error', error }))
  })
  const command = (send: (id: string, options: { queue: string | undefined }) => Promise<Job>) => async () => {
    if (!id) throw new TypeError('There is no job')
    return await send(id, { queue })
  }
  const retry = command(jobs.retry)
  return {
    ...store,
    cancel: command(jobs.cancel),
    retry: async () => {
      const job = await retry()
      store.restart(job.lastEventId)
      return job
    }
  }
}
