import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '../private-file.ts'
import { stateFolder } from '../profiles.ts'
import { newSecret } from './sign.ts'

/** What a listener keeps from one run to the next. */
export interface Place {
  /** Everything up to this event has been forwarded. */
  cursor: string | undefined
  /** Made at the first run, so that the receiver can be configured once. */
  secret: string
}

/** The file of a listener: one for each server, user and receiver. */
export function placeOf (server: string, userId: number | string, forwardTo: string) {
  const name = createHash('sha256').update(JSON.stringify([server, userId, forwardTo])).digest('hex').slice(0, 16)
  const path = join(stateFolder(), `listen-${name}.json`)
  return {
    path,
    read: async (): Promise<Place> => {
      const { cursor, secret } = await readPrivateFile(path) ?? {}
      return {
        cursor: typeof cursor === 'string' ? cursor : undefined,
        secret: typeof secret === 'string' ? secret : newSecret()
      }
    },
    write: async (place: Place): Promise<void> =>
      await writePrivateFile(path, { server, userId, forwardTo, ...place })
  }
}
