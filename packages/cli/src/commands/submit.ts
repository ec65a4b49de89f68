import { serverCommand, type ServerTools } from '../command.ts'
import { readData } from '../input.ts'
import { parseInteger, parseDuration } from '../text.ts'
import { UsageError } from '../failure.ts'
import { watchToTheEnd } from './watch.ts'

export const submit = serverCommand({
  name: 'submit',
  description: 'Submit a job and print its id',
  args: {
    name: { type: 'positional', required: true, description: 'The name by which the worker knows what to do' },
    data: { type: 'string', valueHint: 'JSON', default: '{}', description: 'An object, @FILE, or - for stdin' },
    queue: { type: 'string', valueHint: 'NAME', description: 'The BullMQ queue' },
    delay: { type: 'string', valueHint: 'TIME', description: 'Run it later: 30s, 5m, or milliseconds' },
    priority: { type: 'string', valueHint: 'N', description: '0, the default, runs first' },
    attempts: { type: 'string', valueHint: 'N', description: 'How often it may be tried' },
    'webhook-url': { type: 'string', valueHint: 'URL', description: 'Receives the completion of the job' },
    'idempotency-key': { type: 'string', valueHint: 'KEY', description: 'A repeat makes no second job' },
    watch: { type: 'boolean', description: 'Show it until it ends; exit with 1 where it fails' }
  },
  run: async tools => {
    const { args, client, out, signal } = tools
    const job = await client.jobs.submit(args.name, await readData('--data', args.data), {
      signal,
      ...(args.queue && { queue: args.queue }),
      ...(args.delay && { delay: delayOf(args.delay) }),
      ...(args.priority && { priority: parseInteger('--priority', args.priority) }),
      ...(args.attempts && { attempts: parseInteger('--attempts', args.attempts) }),
      ...(args['webhook-url'] && { webhookUrl: args['webhook-url'] }),
      ...(args['idempotency-key'] && { idempotencyKey: args['idempotency-key'] })
    })
    const { jobId, name, queue, state } = job
    if (!args.watch) return out.value({ jobId, name, queue, state }, () => jobId)
    out.note(`submitted ${jobId}`)
    await watchToTheEnd([jobId], tools as unknown as ServerTools<{}>, queue)
  }
})

function delayOf (text: string): number {
  const ms = /^\d+$/.test(text) ? parseInteger('--delay', text) : parseDuration(text)
  if (ms === undefined) throw new UsageError(`--delay takes a time such as 30s or 5m, or milliseconds, not ${text}`)
  return ms
}
