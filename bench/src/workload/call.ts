import { Agent, request } from 'undici'
import type { Dispatcher } from 'undici'

const dispatcher = new Agent({ connections: 50, headersTimeout: 30_000, bodyTimeout: 30_000 })

interface Call { method?: Dispatcher.HttpMethod, token: string, body?: object }

/** One request of the bench itself, outside the measurement. */
export async function call<T> (url: string, { method = 'GET', token, body }: Call): Promise<T> {
  const { statusCode, body: answer } = await request(url, {
    method,
    dispatcher,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await answer.text()
  if (statusCode >= 300) throw new Error(`${method} ${url} answered ${statusCode}: ${text.slice(0, 500)}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** Runs the task for each number below `count`, at most `atOnce` at a time. */
export async function eachOf (count: number, task: (index: number) => Promise<unknown>, atOnce = 50): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
}
