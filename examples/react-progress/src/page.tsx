import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient } from 'tidings'
import { TidingsProvider, useJob, useTidingsStatus } from 'tidings/react'

declare const TIDINGS_URL: string // set by serve.ts

const client = createClient({
  url: TIDINGS_URL,
  token: async () => await (await fetch('/token')).text() // your server knows the user, and signs the token
})

function Start () {
  const [jobId, setJobId] = useState<string>()
  const submit = async () => setJobId((await client.jobs.submit('dataProcessing', { file: 'zipcodes.csv' })).jobId)
  return (
    <main>
      <button onClick={() => { submit().catch(console.error) }}>Process a file</button>
      {jobId && <Progress key={jobId} jobId={jobId} />}
    </main>
  )
}

function Progress ({ jobId }: { jobId: string }) {
  const { job, status, error, retry, cancel } = useJob<{ rows: number }>(jobId)
  const { state } = useTidingsStatus()
  if (status === 'error') return <p role='alert'>{String(error)}</p>
  if (job?.state === 'completed') return <p>Done: {job.result?.rows} rows</p>
  if (job?.state === 'failed') {
    return (
      <p role='alert'>
        {job.failedReason} <button onClick={() => { retry().catch(console.error) }}>Again</button>
      </p>
    )
  }
  return (
    <section aria-busy={state !== 'live'}>
      <progress max={100} value={Number(job?.progress ?? 0)} /> {job?.state ?? status}
      <button onClick={() => { cancel().catch(console.error) }}>Cancel</button>
    </section>
  )
}

createRoot(document.body).render(
  <StrictMode><TidingsProvider client={client}><Start /></TidingsProvider></StrictMode>
)
