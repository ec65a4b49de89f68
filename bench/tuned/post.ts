import { Agent, request } from 'undici'
import { retried } from '../naive/post.ts'

const dispatcher = new Agent({ connections: 50 })

export const postWithUndici = retried(async (url, headers, body, signal) => {
  const response = await request(url, { method: 'POST', headers, body, signal, dispatcher })
  await response.body.dump()
  return response.statusCode
})
