import { confirm, isCancel } from '@clack/prompts'
import type { Bulk, NewBulk } from 'tidings'
import type { ServerTools } from './command.ts'
import { clearAndDraw } from './draw.ts'
import { EXIT, Exit, UsageError } from './failure.ts'
import { printable } from './text.ts'

/** Options of commands that act on all that match. */
export const BULK_ARGS = {
  'dry-run': { type: 'boolean', description: 'Only count what matches' },
  yes: { type: 'boolean', description: 'Do not ask before it begins' }
} as const

interface Consent { 'dry-run'?: boolean | undefined, yes?: boolean | undefined }

/**
 * Acts on all that match now, each once, after asking. It goes on in the service if the command is interrupted; the
 * command ends with 1 where it did not finish, or where items failed.
 */
export async function runBulk (
  { client, out, signal }: Pick<ServerTools<{}>, 'client' | 'out' | 'signal'>, bulk: NewBulk, consent: Consent
): Promise<void> {
  const matched = await client.bulk.count(bulk, { signal })
  if (consent['dry-run']) return out.value({ matched }, () => `${matched} match`)
  if (matched === 0) return out.value({ matched }, () => 'nothing matches')
  await ask(`${bulk.action} ${matched}?`, consent.yes === true)
  const { bulkId } = await client.bulk.start(bulk, { signal })
  out.note(`${bulkId} runs in the service; to stop it: tidings bulk stop ${bulkId}`)
  const draw = clearAndDraw(out)
  let last: Bulk | undefined
  for await (const now of client.bulk.watch(bulkId, { signal })) {
    if (out.isLive) draw([bulkLine(now)])
    else out.value(now, () => bulkLine(now))
    last = now
  }
  for (const { id, reason } of last?.errors ?? []) out.note(printable(`${id}: ${reason}`))
  if (last?.state !== 'finished' || last.failed > 0) throw new Exit(EXIT.failed)
}

export function bulkLine ({ action, state, matched, done, failed, skipped }: Bulk): string {
  return `${action} ${state}: ${done} of ${matched} done, ${failed} failed, ${skipped} skipped`
}

async function ask (message: string, isAgreed: boolean): Promise<void> {
  if (isAgreed) return
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new UsageError('--yes is needed where nobody can be asked')
  const answer = await confirm({ message })
  if (isCancel(answer) || !answer) throw new Exit(EXIT.interrupted)
}
