import type { ChainableCommander } from 'ioredis'

/**
 * Executes a pipeline of reads and returns its replies. A key that holds another type (a job id that equals the name of
 * one of BullMQ's own lists, for example) fails alone.
 */
export async function pipelineReplies<Reply> (pipeline: ChainableCommander): Promise<(Reply | WrongType)[]> {
  return (await pipeline.exec() ?? []).map(([err, reply]) => {
    if (!err) return reply as Reply
    if (err.message.startsWith('WRONGTYPE')) return new WrongType(err)
    throw err
  })
}

export class WrongType extends Error {
  constructor (cause: Error) {
    super('The key with this id does not hold a job', { cause })
    this.name = 'WrongType'
  }
}
