import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { AuthRefreshAck, SubscribeJob, TokenRefused, UnsubscribeJob, type SubscribeJobAck } from '@tidings/contracts'
import type { Gate } from '../auth/gate.ts'
import { TokenBucket } from '../auth/token-bucket.ts'
import type { Session } from './session.ts'
import { subscribe, type SubscribeOptions, type WantedJob } from './subscribe.ts'

const isSubscribe = Compile(SubscribeJob)
const isUnsubscribe = Compile(UnsubscribeJob)
const isToken = Compile(Type.String({ minLength: 1, maxLength: 8192 }))

export type Ack = SubscribeJobAck | AuthRefreshAck | { ok: true } | { ok: false, error: string }
export type Answer = (ack: Ack) => void

export type Commands = ReturnType<typeof createCommands>

type Log = { error (fields: object, message: string): void }

type CommandsOptions = SubscribeOptions & {
  gate: Gate
  log: Log
  commandsPerSecond: number
}

/** What clients may ask of their session, the same over Socket.IO and WebSocket. */
export function createCommands ({ gate, log, commandsPerSecond, ...subscribing }: CommandsOptions) {
  const { metrics } = subscribing
  const commands: Record<string, (session: Session, input: unknown, answer: Answer) => Promise<void> | void> = {
    'subscribe:job': async (session, input, answer) => {
      if (!isSubscribe.Check(input)) return refuse('invalid', 'invalid', answer)
      await subscribe(session, wantedJob(input), subscribing, answer)
    },
    'unsubscribe:job': (session, input, answer) => {
      if (!isUnsubscribe.Check(input)) return refuse('invalid', 'invalid', answer)
      session.subscriptions.delete(typeof input === 'string' ? input : input.jobId)
      answer({ ok: true })
    },
    'auth:refresh': async (session, input, answer) => {
      if (!isToken.Check(input)) return refuse('invalid', 'invalid', answer)
      answer(await refresh(session, input))
    }
  }

  async function refresh (session: Session, token: string): Promise<AuthRefreshAck> {
    try {
      const identity = await gate.identify(token)
      if (identity.userId !== session.userId) return { ok: false, error: 'another user' }
      session.pass = { ...session.pass, identity, token }
      return { ok: true, expiresAt: identity.expiresAt }
    } catch (err) {
      if (err instanceof TokenRefused) return { ok: false, error: err.code }
      throw err
    }
  }

  async function execute (session: Session, name: string, input: unknown, answer: Answer): Promise<void> {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!command) return refuse('unknown', 'unknown command', answer)
    try {
      await command(session, input, answer)
    } catch (err) {
      log.error({ err, command: name }, 'command failed')
      answer(refusal('unavailable'))
    }
  }

  function refuse (reason: 'unknown' | 'rate' | 'invalid', error: string, answer: Answer) {
    metrics.refusedCommands.inc({ reason })
    answer(refusal(error))
  }

  /** Takes a session's commands: so many a second, and none before it is live. Each is answered, whatever happens. */
  return function receiver (session: Session, live: Promise<void>) {
    const rate = new TokenBucket(commandsPerSecond)

    async function receive (name: string, input: unknown, answer: Answer): Promise<void> {
      if (!rate.take()) return refuse('rate', 'rate limited', answer)
      await live
      await execute(session, name, input, answer)
    }

    /** Of what is no command at all: it counts as one. */
    function receiveMalformed (answer: Answer): void {
      if (rate.take()) refuse('invalid', 'invalid', answer)
      else refuse('rate', 'rate limited', answer)
    }

    return { receive, receiveMalformed }
  }
}

const refusal = (error: string) => ({ ok: false as const, error })

function wantedJob (input: SubscribeJob): WantedJob {
  return typeof input === 'string' ? { jobId: input } : input
}
