import type { AuthRefreshAck, SubscribeJobAck } from '@tidings/contracts'
import { readSubscribe, readToken, readUnsubscribe } from './command-input.ts'
import { refreshToken, type Identify } from './refresh-token.ts'
import type { Session } from './session.ts'
import { subscribe, type SubscribeOptions } from './subscribe.ts'
import type { Outcome, WantedJob } from './subscribe-request.ts'
import { TokenBucket } from './token-bucket.ts'

type Refusal = { ok: false, error: string, detail?: string, retrying?: boolean, retryAfterMs?: number }
export type Ack = SubscribeJobAck | AuthRefreshAck | { ok: true } | Refusal
/** Undefined if the client waits for no answer. What it has to know is then sent as an event. */
export type Answer = ((ack: Ack) => void) | undefined

export type Commands = ReturnType<typeof createCommands>

type Log = { error (fields: object, message: string): void, debug (fields: object, message: string): void }

type CommandsOptions = SubscribeOptions & {
  identify: Identify
  log: Log
  commandsPerSecond: number
}

type Command = { name: string, session: Session, input: unknown, answer: Answer }

/** The commands that clients send in a session, the same over Socket.IO and WebSocket. */
export function createCommands ({ identify, log, commandsPerSecond, ...subscribeOptions }: CommandsOptions) {
  const { metrics } = subscribeOptions
  const commands: Record<string, (command: Command) => Promise<void> | void> = {
    'subscribe:job': async command => {
      const read = readSubscribe(command.input)
      if ('fault' in read) return refuse(command, 'invalid', { error: 'invalid', detail: read.fault })
      await subscribe(command.session, read.input, subscribeOptions, requesterOf(command, read.input))
    },
    'unsubscribe:job': command => {
      const read = readUnsubscribe(command.input)
      if ('fault' in read) return refuse(command, 'invalid', { error: 'invalid', detail: read.fault })
      command.session.unsubscribe(read.input.jobId)
      command.answer?.({ ok: true })
    },
    'auth:refresh': async command => {
      const read = readToken(command.input)
      if ('fault' in read) return refuse(command, 'invalid', { error: 'invalid', detail: read.fault })
      await refreshToken(command.session, read.input, { identify, log, answer: command.answer })
    }
  }

  async function execute (command: Command): Promise<void> {
    const { name } = command
    const handle = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!handle) return refuse(command, 'unknown', { error: 'unknown command' })
    try {
      await handle(command)
    } catch (err) {
      log.error({ err, command: name }, 'command failed')
      respond(command, { ok: false, error: 'unavailable' })
    }
  }

  function refuse (command: Command, reason: 'unknown' | 'rate' | 'invalid', refusal: Omit<Refusal, 'ok'>) {
    metrics.refusedCommands.inc({ reason })
    respond(command, { ok: false, ...refusal })
  }

  /** Receives the commands of a session: so many per second, none before it is live. Each is always answered. */
  return function receiver (session: Session, live: Promise<void>) {
    const rate = new TokenBucket(commandsPerSecond)
    // A client that reconnects subscribes to all of its jobs at once.
    const subscribeBurst = Math.max(subscribeOptions.maxSubscriptions, 2 * commandsPerSecond)
    const subscribes = new TokenBucket(commandsPerSecond, subscribeBurst)

    async function receive (name: string, input: unknown, answer: Answer): Promise<void> {
      const command = { name, session, input, answer }
      const bucket = name === 'subscribe:job' ? subscribes : rate
      if (!bucket.take()) return refuse(command, 'rate', { error: 'rate limited', retryAfterMs: bucket.waitMs() })
      await live
      if (session.hasEnded) return respond(command, { ok: false, error: 'unavailable' })
      await execute(command)
    }

    /** For a message that is not a command: it counts as one. */
    function receiveMalformed (answer: (ack: Ack) => void): void {
      const command = { name: '', session, input: undefined, answer }
      if (rate.take()) refuse(command, 'invalid', { error: 'invalid', detail: 'wanted: JSON text {event, data?, id?}' })
      else refuse(command, 'rate', { error: 'rate limited', retryAfterMs: rate.waitMs() })
    }

    return { receive, receiveMalformed }
  }
}

/** Answers, or sends the refusal as an event if the client waits for no answer: no command is dropped silently. */
function respond ({ name, session, input, answer }: Command, ack: Refusal) {
  if (answer) return answer(ack)
  const { ok: _, ...refusal } = ack
  if (name !== 'subscribe:job') return session.send('command:error', { command: name, ...refusal })
  const read = readSubscribe(input)
  session.send('subscribe:error', { ...('input' in read && { jobId: read.input.jobId }), ...refusal, retrying: false })
}

/** A request without an answer, or with a late outcome, ends with an event. */
function requesterOf ({ session, answer }: Command, { jobId }: WantedJob) {
  return {
    answer: answer && (({ ack, retrying }: Outcome) => answer(ack.ok ? ack : { ...ack, retrying })),
    notify: ({ ack: { ok, ...outcome }, retrying }: Outcome) => {
      if (ok) session.send('subscribe:ok', { jobId, ...outcome })
      else session.send('subscribe:error', { jobId, ...outcome, retrying })
    },
    from: answer ? 'the snapshot, if prompt' as const : 'its request' as const
  }
}
