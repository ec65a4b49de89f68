import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.ts'
import { apiOf } from '../sample/api.ts'
import { javascriptBlocks } from './blocks.ts'
import { examples } from './examples.ts'

const DOCUMENT = join(root, 'docs', 'job-notifications.md')

interface RunOptions {
  origin: string
  token: (userId: number) => string
  receiverPort?: number
  report: (line: string) => void
}

/** Runs the examples of the document, each as a user of its own, and returns how many failed. */
export async function runExamples ({ origin, token, receiverPort = 3000, report }: RunOptions): Promise<number> {
  const blocks = javascriptBlocks(readFileSync(DOCUMENT, 'utf8'))
  let failed = 0
  for (const [name, example] of Object.entries(examples)) {
    const userToken = token(freshUser())
    const api = apiOf(origin, userToken)
    try {
      await example({ blocks, origin, token: userToken, api, receiverPort })
      report(`ok ${name}`)
    } catch (err) {
      failed++
      report(`not ok ${name}\n${(err as Error).message.replace(/^/gm, '  ')}`)
    }
    const { webhooks } = await api<{ webhooks: { id: number }[] }>('GET', '/webhooks')
    for (const { id } of webhooks) await api('DELETE', `/webhooks/${id}`)
  }
  return failed
}

/** A user without data, so that no example sees the data of another run. */
function freshUser (): number {
  return 1_000_000 + Math.floor(Math.random() * 1_000_000_000)
}
