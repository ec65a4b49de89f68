import type { ChainableCommander } from 'ioredis'

/**
 * What a pipeline of reads was answered. A key that holds another type (an id
 * that names one of BullMQ's own lists, say) is an answer about that key alone.
 */
export async function repliesOf<Reply> (pipeline: ChainableCommander): Promise<(Reply | WrongType)[]> {
  return (await pipeline.exec() ?? []).map(([err, reply]) => {
    if (!err) return reply as Reply
    if (err.message.startsWith('WRONGTYPE')) return new WrongType(err)
    throw err
  })
}

export class WrongType extends Error {
  constructor (cause: Error) {
    super('What Redis holds under this id is no job', { cause })
    this.name = 'WrongType'
  }
}
