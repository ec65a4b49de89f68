const TIMEOUT_MS = 15_000

/** Calls the REST API as a user; rejects with the text of the problem. */
export function apiOf (origin: string, token: string) {
  return async function call<T> (method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} failed with ${response.status}: ${text.slice(0, 500)}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

export type Api = ReturnType<typeof apiOf>
