// Many light sockets in one process, opened and closed in groups.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mark } from '../mark.ts'
import { readMark } from '../mark.ts'
import { serve } from '../serve.ts'
import { createTally } from '../tally.ts'
import type { Expected } from '../tally.ts'
import { reportCount } from '../report-count.ts'
import { openClient } from './client.ts'
import type { Client, ClientOptions } from './client.ts'

const CONNECTING_AT_ONCE = 50
const RECONNECT_MS = 200
const EVENT_ID = Buffer.from('EventId":"')
const OWN_EVENT_ID = Buffer.from('"eventId":"')

export interface Group {
  name: string
  url: string
  protocol: ClientOptions['protocol']
  /** One per socket; with `ws` the number of the user. */
  tokens: string[]
}

const tally = createTally()
const mark: Mark = { run: 0, seq: 0, job: 0, at: 0 }
const groups = new Map<string, { end: () => void }>()

const commands = {
  open: async (group: Group) => {
    const members: Member[] = group.tokens.map(token => createMember(group, token))
    groups.set(group.name, { end: () => { for (const member of members) member.end() } })
    const waiting = [...members]
    const connectNext = async () => {
      for (let member; (member = waiting.pop()) !== undefined;) await member.open()
    }
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectNext))
  },
  close: (name: string) => {
    groups.get(name)?.end()
    groups.delete(name)
  },
  expect: (expected: Expected) => tally.start(expected),
  finish: () => tally.finish()
}

export type SocketsCommands = typeof commands

interface Member { open: () => Promise<void>, end: () => void }

/** Connects again after a lost connection, from the last event id where the protocol knows one. */
function createMember ({ url, protocol }: Group, token: string): Member {
  let client: Client | undefined
  let lastEventId: string | undefined
  const ended = new AbortController()

  async function open (): Promise<void> {
    client = await openClient({
      url,
      protocol,
      auth: { token, ...(lastEventId === undefined ? {} : { lastEventId }) },
      onEvent: (bytes, start, end) => {
        if (protocol === 'tidings') lastEventId = eventIdIn(bytes, start, end) ?? lastEventId
        const found = readMark(bytes, mark, start, end)
        if (found !== undefined) tally.take(found)
      },
      onClose: () => {
        if (!ended.signal.aborted && client !== undefined) comeBack().catch(() => {})
      }
    })
  }

  async function comeBack (): Promise<void> {
    client = undefined
    while (!ended.signal.aborted && client === undefined) {
      await sleep(RECONNECT_MS)
      await open().catch(() => {})
    }
  }

  return {
    open,
    end: () => {
      ended.abort()
      client?.end()
    }
  }
}

/** The id of an event; for `session` the position from which the connection receives everything. */
function eventIdIn (bytes: Buffer, start: number, end: number): string | undefined {
  const own = bytes.indexOf(OWN_EVENT_ID, start)
  if (own !== -1 && own < end) return idAt(bytes, own + OWN_EVENT_ID.length)
  const position = bytes.indexOf(EVENT_ID, start)
  return position !== -1 && position < end ? idAt(bytes, position + EVENT_ID.length) : undefined
}

function idAt (bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf('"', at))
}

reportCount(tally)
serve(commands)
