/** Whose a job is, and what else its events are told with. Fixed when the job is first seen. */
export type Owner = {
  userId: string
  name: string
  /** Of adopted jobs: the BullMQ id of the event by which this life of the job was first seen. */
  generation?: string
  /** When the job was created, in milliseconds, and how often it may be tried. */
  created?: number
  attempts?: number
  /** Of adopted jobs: where BullMQ has room for one pending job only; a later one there takes this one's place. */
  slot?: string
  /** An earlier job of this id is known: it is gone, whatever became of it. */
  isAgain?: true
  /** The job's own webhookUrl. */
  webhookUrl?: string
}

/** A job that BullMQ has and that names no user: not ours to tell. */
export const NOBODY = Symbol('nobody')
