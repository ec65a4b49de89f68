import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasEtag } from './etag.ts'

/** Below this size the headers and the time of an encoding outweigh its savings. */
const MIN_BYTES = 2048
/** For 4.9 MB: a tenth of a second, within 10 % of the size that the best quality takes twelve seconds for. */
const BROTLI_QUALITY = 4

const ENCODERS = {
  br: async (body: Buffer) =>
    await promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: async (body: Buffer) => await promisify(gzip)(body)
}
type Encoding = keyof typeof ENCODERS

/**
 * `onSend` hook of routes with large responses (lists, documents, scripts): adds an ETag, answers 304 to a client that
 * has the current version, and compresses where the client accepts it. Not for all routes, since it hashes each
 * response; never for a stream.
 */
export async function compact (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (reply.statusCode !== 200 || !(request.method === 'GET' || request.method === 'HEAD') ||
    !(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload
  const body = Buffer.from(payload as string)
  const encoding = body.length < MIN_BYTES ? undefined : encodingOf(request.headers['accept-encoding'])
  // Weak: the same content in any encoding.
  const etag = `W/"${createHash('sha1').update(body).digest('base64url')}"`
  reply.header('etag', etag).header('vary', [reply.getHeader('vary') ?? [], 'accept-encoding'].flat().join(', '))
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache')

  if (hasEtag(request.headers['if-none-match'], etag)) {
    reply.code(304).removeHeader('content-type').removeHeader('content-length')
    return nothing(request)
  }
  // Of a HEAD Fastify measures the payload and sends nothing.
  if (encoding === undefined || request.method === 'HEAD') return payload
  reply.header('content-encoding', encoding).removeHeader('content-length')
  return await ENCODERS[encoding](body)
}

/** The payload of a 304. For a HEAD a stream: Fastify would add `content-length: 0`, the size of no GET's content. */
export function nothing ({ method }: FastifyRequest): unknown {
  return method === 'HEAD' ? Readable.from([]) : null
}

function encodingOf (accepted = ''): Encoding | undefined {
  const wanted = accepted.toLowerCase().split(',').map(each => each.trim().split(/\s*;\s*/))
    .filter(([, q = 'q=1']) => Number(q.slice(2)) > 0).map(([name]) => name)
  return (['br', 'gzip'] as const).find(name => wanted.includes(name) || wanted.includes('*'))
}
