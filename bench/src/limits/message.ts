import { jsonText, socketMessage } from '@tidings/contracts'
import { now } from '../clock.ts'
import { marked } from '../load/mark.ts'

/** The Socket.IO message of one progress event. */
export function progressMessage ({ run, seq, user }: { run: number, seq: number, user: number }) {
  const message = socketMessage({
    v: 1,
    type: 'progress',
    queue: 'bench',
    jobId: `${run}-${user}`,
    name: 'bench',
    userId: String(user),
    timestamp: Date.now(),
    eventId: `${Date.now()}-${seq}`,
    progress: jsonText(marked({ run, seq, job: user - 1, at: now() }))
  })
  return message && JSON.parse(message.json) as unknown
}
