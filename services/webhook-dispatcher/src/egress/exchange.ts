import type { IncomingHttpHeaders } from 'node:http'
import { errors, type Dispatcher } from 'undici'
import type { OpeningTimes } from './open-socket.ts'
import { codeOf, EgressError, type AttemptOutcome, type Durations, type ErrorClass } from './outcome.ts'
import { retryAfterMs } from './retry-after.ts'

/** A receiver that says more is cut off: nothing that a webhook needs is that long. */
const MAX_READ = 64 * 1024
const MAX_KEPT = 16 * 1024

type ExchangeOptions = {
  timeoutMs: number
  /** Gives the attempt up: it is rejected with the signal's reason and has no outcome. */
  signal?: AbortSignal | undefined
  settle: (outcome: AttemptOutcome) => void
  reject: (reason: unknown) => void
}

/**
 * One request and its answer, as undici tells of it. It is over with the whole
 * answer, the first fault, or the deadline, whichever comes first, even while
 * undici still waits for a connection; what comes later is not heard.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** The connection that it goes over, once it has one. */
  connection: { takeTimings: () => OpeningTimes | undefined } | undefined
  readonly #options: ExchangeOptions
  readonly #started = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #durations: Durations = { totalMs: 0 }
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #sent = this.#started
  #status: number | undefined
  #headers: IncomingHttpHeaders = {}
  #read = 0
  #over = false

  constructor (options: ExchangeOptions) {
    this.#options = options
    this.#timer = setTimeout(() => this.#cut(new EgressError('timeout', this.#lateness())), options.timeoutMs)
    options.signal?.addEventListener('abort', this)
  }

  /** The signal's listener. */
  handleEvent () {
    if (!this.#finish()) return
    const { signal, reject } = this.#options
    this.#controller?.abort(new EgressError('reset', 'Given up'))
    reject(signal?.reason)
  }

  onRequestStart (controller: Dispatcher.DispatchController) {
    if (this.#over) return controller.abort(new EgressError('timeout', 'Too late'))
    this.#controller = controller
    this.#sent = performance.now()
    const opened = this.connection?.takeTimings()
    if (!opened) return
    this.#durations.dnsMs = Math.round(opened.dnsMs)
    this.#durations.connectMs = Math.round(opened.connectMs)
  }

  onResponseStart (_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders) {
    if (status < 200) return // informational: the answer follows
    this.#status = status
    this.#headers = headers
    this.#durations.ttfbMs = Math.round(performance.now() - this.#sent)
  }

  onResponseData (_controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#read < MAX_KEPT) this.#chunks.push(chunk.subarray(0, MAX_KEPT - this.#read))
    this.#read += chunk.length
    if (this.#read > MAX_READ) this.#cut(new EgressError('too-large', `The answer is longer than ${MAX_READ} bytes`))
  }

  onResponseEnd () {
    this.#settle()
  }

  onResponseError (_controller: Dispatcher.DispatchController | null, err: Error) {
    this.#settle(egressError(err))
  }

  #cut (fault: EgressError) {
    this.#settle(fault)
    this.#controller?.abort(fault)
  }

  #settle (fault?: EgressError) {
    if (!this.#finish()) return
    this.#durations.totalMs = Math.round(performance.now() - this.#started)
    this.#options.settle({ ...verdict(this.#status, fault), ...this.#answer(), durations: this.#durations })
  }

  #finish (): boolean {
    if (this.#over) return false
    this.#over = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this)
    return true
  }

  #answer (): Partial<AttemptOutcome> {
    if (this.#status === undefined) return {}
    const retryAfter = retryAfterMs(this.#headers['retry-after'])
    return {
      status: this.#status,
      responseHeaders: joined(this.#headers),
      // Postgres has no text with NUL in it.
      responseBody: Buffer.concat(this.#chunks).toString().replaceAll('\0', '\uFFFD'),
      ...(retryAfter !== undefined && { retryAfterMs: retryAfter })
    }
  }

  #lateness (): string {
    const missing = this.#controller ? this.#status ? 'whole answer' : 'answer' : 'connection'
    return `No ${missing} within ${this.#options.timeoutMs} ms`
  }
}

type Verdict = Pick<AttemptOutcome, 'ok' | 'errorClass' | 'message'>

function verdict (status: number | undefined, fault: EgressError | undefined): Verdict {
  const refused = status !== undefined && classOfStatus(status)
  // A long error page is an error first.
  const isFault = fault && !(refused && fault.errorClass === 'too-large')
  if (isFault) return { ok: false, errorClass: fault.errorClass, message: fault.message }
  return refused ? { ok: false, errorClass: refused, message: `Answered ${status}` } : { ok: true }
}

function classOfStatus (status: number): ErrorClass | undefined {
  if (status < 300) return undefined
  if (status < 400) return 'redirect'
  return status < 500 ? 'http-4xx' : 'http-5xx'
}

function egressError (err: Error): EgressError {
  if (err instanceof EgressError) return err
  if (err instanceof errors.HeadersOverflowError) return new EgressError('too-large', 'The headers of the answer are too long', err)
  if (err instanceof errors.HTTPParserError) return new EgressError('reset', 'The answer is not HTTP', err)
  if (err instanceof errors.InvalidArgumentError) return new EgressError('blocked', 'The request has a header that can\'t be sent', err)
  return new EgressError('reset', `The connection ended before the answer did (${codeOf(err)})`, err)
}

function joined (headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value ?? '']))
}
