import type { IncomingHttpHeaders } from 'node:http'
import { errors, type Dispatcher } from 'undici'
import { awaitBody, forgetBody } from './body-deadline.ts'
import { bodyText, MAX_KEPT, textOf } from './body-text.ts'
import type { Connection } from './connection.ts'
import type { Freezes } from './freezes.ts'
import { codeOf, EgressError, type AttemptOutcome, type Durations, type ErrorClass } from './outcome.ts'
import { OwnFault, ownFaultOf } from './own-fault.ts'
import { retryAfterMs } from './retry-after.ts'

/** The connection of a longer response is closed, which is cheaper than reading it to its end. */
const MAX_READ = 64 * 1024

const EMPTY = Buffer.alloc(0)

type ExchangeOptions = {
  timeoutMs: number
  /** Aborts the attempt: it rejects with the signal's reason and has no outcome. */
  signal?: AbortSignal | undefined
  freezes: Freezes
  settle: (outcome: AttemptOutcome) => void
  reject: (reason: unknown) => void
  /** Dispatches the same request on a connection that is certainly new. */
  resend: (exchange: Exchange) => void
  /** No byte arrived over a kept connection, nor over another one to the origin. */
  onSilence: () => void
}

/**
 * One request and its response, as undici reports them. It ends with the complete response, the first fault, or the
 * deadline, whichever comes first, even while undici still waits for a connection. Later callbacks are ignored.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Its connection, once it has one. */
  connection: Connection | undefined
  readonly #options: ExchangeOptions
  readonly #started = performance.now()
  readonly #durations: Durations = { totalMs: 0 }
  readonly #chunks: Buffer[] = []
  #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #sent = this.#started
  /** Whether the connection has served other requests before. */
  #isReused = false
  #isResent = false
  /** How far the deadline was extended because of freezes. */
  #frozenMs = 0
  #status: number | undefined
  #headers: IncomingHttpHeaders = {}
  #read = 0
  #over = false

  constructor (options: ExchangeOptions) {
    this.#options = options
    this.#timer = setTimeout(() => this.#onDeadline(), options.timeoutMs)
    options.signal?.addEventListener('abort', this)
  }

  /** The signal's listener. */
  handleEvent () {
    const { signal } = this.#options
    this.#reject(signal?.reason)
  }

  onRequestStart (controller: Dispatcher.DispatchController) {
    if (this.#over) return controller.abort(new EgressError('timeout', 'Too late'))
    this.#controller = controller
    this.#sent = performance.now()
    this.connection?.head?.await(this)
    const opened = this.connection?.takeTimings()
    this.#isReused = opened === undefined
    if (!opened) return
    this.#durations.dnsMs = Math.round(opened.dnsMs)
    this.#durations.connectMs = Math.round(opened.connectMs)
  }

  onResponseStart (_controller: Dispatcher.DispatchController, _status: number, headers: IncomingHttpHeaders) {
    this.#headers = headers
  }

  onResponseData (_controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#read < MAX_KEPT) this.#chunks.push(chunk.subarray(0, MAX_KEPT - this.#read))
    this.#read += chunk.length
    if (this.#read > MAX_READ) this.#cut(new EgressError('too-large', `The answer is longer than ${MAX_READ} bytes`))
  }

  onResponseEnd () {
    this.connection?.endIfOld()
    this.#settle()
  }

  onResponseError (_controller: Dispatcher.DispatchController | null, err: Error) {
    if (this.#isStale(err)) return this.#resend()
    this.#settle(faultOf(err))
  }

  /** The status has arrived; the parser has not read the rest of the head yet. */
  onStatus (status: number) {
    this.#status = status
    const now = performance.now()
    if (this.connection) this.connection.memory.answeredAt = now
    this.#durations.ttfbMs = Math.round(now - this.#sent)
    awaitBody(this)
  }

  onBodyLate () {
    this.#cut(new EgressError('timeout', 'The answer did not end'))
  }

  /**
   * The endpoint had closed a kept connection: no byte of a response arrived, so the endpoint has not processed the
   * request.
   */
  #isStale (err: Error): boolean {
    const isLost = !(
      err instanceof EgressError || err instanceof OwnFault || err instanceof errors.InvalidArgumentError
    )
    return !this.#over && isLost && this.#isReused && !this.#isResent && !this.connection?.head?.hasBegun
  }

  /** The same attempt, within the same deadline. */
  #resend () {
    this.#isResent = true
    this.#controller = undefined
    this.#options.resend(this)
  }

  /** A response may have arrived while this process was frozen; it is read now. */
  #onDeadline () {
    const frozenMs = this.#options.freezes.since(this.#started)
    const more = Math.min(this.#options.timeoutMs, frozenMs - this.#frozenMs)
    this.#frozenMs = frozenMs
    if (more > 0) this.#timer = setTimeout(() => this.#onDeadline(), more)
    else this.#cut(new EgressError('timeout', this.#lateness()))
  }

  #cut (fault: EgressError) {
    if (this.#isOriginSilent()) this.#options.onSilence()
    this.#settle(fault)
    this.#controller?.abort(fault)
  }

  #isOriginSilent (): boolean {
    const { answeredAt = 0 } = this.connection?.memory ?? {}
    return this.#status === undefined && this.#isReused && this.#controller !== undefined && answeredAt < this.#sent
  }

  #settle (fault?: EgressError | OwnFault) {
    if (this.#over) return
    if (this.#status === undefined && fault instanceof OwnFault) return this.#reject(fault)
    const frozenMs = fault && this.#status === undefined ? this.#options.freezes.since(this.#started) : 0
    if (frozenMs > 0) {
      return this.#reject(new OwnFault('frozen', `This process did not run for ${Math.round(frozenMs)} ms`, fault))
    }
    this.#finish()
    this.#durations.totalMs = Math.round(performance.now() - this.#started)
    const outcome: AttemptOutcome = {
      ...verdict(this.#status, fault as EgressError | undefined), durations: this.#durations
    }
    if (this.#status === undefined) this.#options.settle(outcome)
    else this.#settleWithAnswer(outcome, this.#status)
  }

  #settleWithAnswer (outcome: AttemptOutcome, status: number) {
    const { settle, reject } = this.#options
    const {
      'content-type': contentType = '', 'content-encoding': encoding, 'retry-after': retryAfter, date
    } = this.#headers
    outcome.status = status
    outcome.responseHeaders = joined(this.#headers)
    const askedMs = retryAfterMs(retryAfter, { date })
    if (askedMs !== undefined) outcome.retryAfterMs = askedMs
    const [first = EMPTY] = this.#chunks
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first
    if (encoding) {
      bodyText(bytes, { encoding, contentType }).then(responseBody => settle({ ...outcome, responseBody }), reject)
    } else {
      settle({ ...outcome, responseBody: textOf(bytes, contentType) })
    }
  }

  #reject (reason: unknown) {
    if (this.#over) return
    this.#finish()
    this.#controller?.abort(new EgressError('reset', 'Given up'))
    this.#options.reject(reason)
  }

  #finish () {
    this.#over = true
    clearTimeout(this.#timer)
    if (this.#status !== undefined) forgetBody(this)
    this.#options.signal?.removeEventListener('abort', this)
  }

  #lateness (): string {
    return `No ${this.#controller ? 'answer' : 'connection'} within ${this.#options.timeoutMs} ms`
  }
}

type Verdict = Pick<AttemptOutcome, 'ok' | 'errorClass' | 'message'>

/** The status decides: how the rest of the response ends does not change the outcome of the request. */
function verdict (status: number | undefined, fault: EgressError | undefined): Verdict {
  if (status === undefined) {
    return {
      ok: false,
      errorClass: fault?.errorClass ?? 'reset',
      message: fault?.message ?? 'The connection ended before the answer did'
    }
  }
  const refused = classOfStatus(status)
  return refused ? { ok: false, errorClass: refused, message: `Answered ${status}` } : { ok: true }
}

function classOfStatus (status: number): ErrorClass | undefined {
  if (status < 300) return undefined
  if (status < 400) return 'redirect'
  return status < 500 ? 'http-4xx' : 'http-5xx'
}

function faultOf (err: Error): EgressError | OwnFault {
  if (err instanceof EgressError || err instanceof OwnFault) return err
  if (err instanceof errors.HeadersOverflowError) {
    return new EgressError('too-large', 'The headers of the answer are too long', err)
  }
  if (err instanceof errors.HTTPParserError) return new EgressError('reset', 'The answer is not HTTP', err)
  if (err instanceof errors.InvalidArgumentError) {
    return new EgressError('blocked', 'The request has a header that can\'t be sent', err)
  }
  if (err instanceof errors.ClientDestroyedError || err instanceof errors.ClientClosedError) {
    return new OwnFault('internal', 'Our connections were closed', err)
  }
  return ownFaultOf([err]) ?? new EgressError(
    'reset', `The connection ended before the answer did (${codeOf(err)})`, err
  )
}

function joined (headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value ?? ''])
  )
}
