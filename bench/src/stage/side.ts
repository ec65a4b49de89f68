import type { ClientOptions } from '../load/sockets/client.ts'

/** A system that is measured: Tidings or a monolith. */
export interface Side {
  name: 'Tidings' | 'naive' | 'tuned'
  /** The BullMQ queue that its workers take jobs from. */
  queue: string
  /** Where POST /submit-job and GET /jobs are. */
  jobs: string
  /** Where Socket.IO is. */
  sockets: string
  /** Where /webhooks is. */
  webhooks: string
  protocol: ClientOptions['protocol']
  token: (user: number) => string
  /** Its processes by name, as they are now. */
  processes: () => { name: string, pid: number | undefined }[]
}
