import createError from '@fastify/error'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { Type, type TObject } from 'typebox'
import {
  problemResponse, scopeBits, USER_SCOPES, userIdText,
  type Identity, type OperatorScope, type Scope, type UserScope
} from '@tidings/contracts'
import { invalidInput } from './invalid-input.ts'
import { DESCRIPTIONS } from './problem-responses.ts'
import { redactedUrl } from './request-log.ts'

/**
 * Who may call a route: tokens with a scope, for the data of their own user or, operators, of the user that `?userId`
 * names; operators alone (`operator:write` opens what needs `operator:read`); any token; or everybody.
 */
export type Access = UserScope | AnyScope | OperatorScope | 'token' | 'public'

/** Any of these scopes, all to read or all to write; the route then checks the one it needs with `requireScope`. */
export type AnyScope = readonly [UserScope, ...UserScope[]]

/** `?userId=*` names all users. */
const ALL_USERS = '*'

const InsufficientScope = createError('INSUFFICIENT_SCOPE', 'The token lacks the scope %s', 403)

/** 403; `answerProblem` adds the challenge of RFC 6750 for the scope. */
function insufficientScope (scope: Scope): Error & { statusCode?: number, scope: Scope } {
  return Object.assign(new InsufficientScope(scope), { scope })
}

/** Whose data a request is about, and whether an operator makes it for somebody else. `ownerId` is '' for all users. */
export type AccessTarget = { ownerId: string, isAllUsers: boolean, isOperator: boolean }

export type TargetOptions = {
  /** Whether `*` may stand in place of a user. */
  allUsers?: boolean
  /** Where the user id was given, as errors call it. */
  path?: string
}

/**
 * A function that says whose data a token asks for, given the user id that the request names (undefined or null: its
 * own). Another user needs `operator:read` where the scope is one to read, otherwise `operator:write`, which allows
 * both. It throws 403 `insufficient-scope`, or 400 for what is no user id: an empty one is none, so that a request
 * whose script left it empty is not about the operator's own data.
 */
export function targetResolver (
  scope: UserScope | AnyScope,
  { allUsers = false, path = 'querystring.userId' }: TargetOptions = {}
) {
  const scopes = scopesOf(scope)
  const own = scopeBits(scopes)
  const operatorScope: OperatorScope = scopes[0].endsWith(':read') ? 'operator:read' : 'operator:write'
  const operator = scopeBits([operatorScope, 'operator:write'])

  return function resolveTarget (
    { userId, scopeBits }: Pick<Identity, 'userId' | 'scopeBits'>,
    named?: unknown
  ): AccessTarget {
    const ownerId = isNamed(named) ? userIdText(named) : userId
    if (ownerId === userId) {
      if ((scopeBits & own) === 0) throw insufficientScope(scopes[0])
      return { ownerId, isAllUsers: false, isOperator: false }
    }
    if (ownerId === undefined) {
      throw invalidInput([{ path, message: 'must be one user id of 1 to 128 printable characters' }])
    }
    if ((scopeBits & operator) === 0) throw insufficientScope(operatorScope)
    if (ownerId !== ALL_USERS) return { ownerId, isAllUsers: false, isOperator: true }
    if (!allUsers) {
      throw invalidInput([{ path, message: `must be one user: ${ALL_USERS} is only for lists that say so` }])
    }
    return { ownerId: '', isAllUsers: true, isOperator: true }
  }
}

function scopesOf (scope: UserScope | AnyScope): AnyScope {
  return typeof scope === 'string' ? [scope] : scope
}

/** Whether a request may do what needs a scope, on a route with several. An operator's has passed the route's check. */
export function hasScope ({ user, ownerId }: FastifyRequest, scope: UserScope): boolean {
  return ownerId !== user.userId || (user.scopeBits & scopeBits([scope])) !== 0
}

/** @throws 403 `insufficient-scope` without `hasScope` */
export function requireScope (request: FastifyRequest, scope: UserScope): void {
  if (!hasScope(request, scope)) throw insufficientScope(scope)
}

/** Whether a request names a user at all. */
export function isNamed (userId: unknown): boolean {
  return userId !== undefined && userId !== null
}

export type AuditEntry = {
  actor: string
  /** Whose data it was, `*` for everybody's. */
  user: string
  route: string
  method: string
  requestId: string
  /** What the request asked for beyond the usual response: the data of a job. */
  include?: string
  /** Null where the client was gone before the answer. */
  status: number | null
}

/** Logs a request of an operator. LOG_LEVEL doesn't hide it: only `silent` does. */
export function logAudit (log: FastifyBaseLogger, entry: AuditEntry): void {
  const audit = log.level === 'silent' ? log : log.child({}, { level: 'info' })
  audit.info({ audit: true, ...entry, user: loggable(entry.user) }, 'operator request')
}

/**
 * Checks the scopes of the routes that are registered after it, each of which has to say `config.access`: a route that
 * does not fails the start. It sets `request.ownerId`, whose data the request is about; `request.user` stays who asks.
 * To be registered behind `app.authenticate` and the rate limits, which count refused requests too.
 */
export const accessControl = fp(async function accessControl (app) {
  app.decorateRequest('ownerId', '')
  app.decorateRequest('isAllUsers', false)

  app.addHook('onRoute', route => {
    const { access, isAccessChecked = false, ...options } = route.config ?? {}
    if (access === undefined) {
      throw new Error(`Route ${String(route.method)} ${route.url} does not say who may call it (config.access)`)
    }
    if (access === 'public') return
    if (!isAccessChecked) route.onRequest = [...[route.onRequest ?? []].flat(), checkFor(access, options)]
    route.schema = describe(route.schema ?? {}, access, options)
  })
}, { name: 'access-control' })

type RouteOptions = { allUsers?: boolean, isAudited?: boolean }

function checkFor (access: Exclude<Access, 'public'>, { allUsers = false, isAudited = true }: RouteOptions) {
  if (access === 'token') return setOwner
  if (access === 'operator:read' || access === 'operator:write') return operatorCheck(access)
  const resolveTarget = targetResolver(access, { allUsers })

  return function checkAccess (request: FastifyRequest, reply: FastifyReply, done: (err?: Error) => void) {
    const named = (request.query as { userId?: unknown }).userId
    if (isAudited && isNamed(named) && named !== request.user.userId) auditRequest(request, reply, named)
    try {
      const { ownerId, isAllUsers } = resolveTarget(request.user, named)
      request.ownerId = ownerId
      request.isAllUsers = isAllUsers
    } catch (err) {
      return done(err as Error)
    }
    done()
  }
}

function setOwner (request: FastifyRequest, _reply: FastifyReply, done: () => void) {
  request.ownerId = request.user.userId
  done()
}

function operatorCheck (scope: OperatorScope) {
  const enough = scopeBits([scope, 'operator:write'])
  return function requireOperator (request: FastifyRequest, reply: FastifyReply, done: (err?: Error) => void) {
    const { userId } = request.params as { userId?: string }
    auditRequest(request, reply, userId ?? ALL_USERS)
    done((request.user.scopeBits & enough) === 0 ? insufficientScope(scope) : undefined)
  }
}

/** Once it is answered: refused ones too. */
function auditRequest (request: FastifyRequest, reply: FastifyReply, named: unknown): void {
  const { user: { userId: actor }, method, id: requestId, routeOptions, log } = request
  const include = String((request.query as { include?: string[] }).include ?? '')
  reply.raw.once('close', () => {
    const status = reply.raw.headersSent ? reply.raw.statusCode : null
    const target = { user: String(named), route: routeOptions.url ?? '', ...(include && { include }) }
    logAudit(log, { actor, ...target, method, requestId, status })
  })
}

const MAX_USER_ID = 128

/** A parameter may hold anything: a token by mistake. */
function loggable (user: string): string {
  return redactedUrl(user).slice(0, MAX_USER_ID).toWellFormed()
}

/** The scope, the parameter `userId` and the answer 403, for the OpenAPI document. */
function describe (
  schema: FastifySchema,
  access: Exclude<Access, 'public'>,
  { allUsers = false }: RouteOptions
): FastifySchema {
  if (access === 'token') return schema
  const scopes: readonly Scope[] = typeof access === 'string' ? [access] : access
  const isUserScope = (USER_SCOPES as readonly Scope[]).includes(scopes[0] as Scope)
  return {
    ...schema,
    security: (schema.security ?? [{ bearer: [] }]).flatMap(way =>
      'bearer' in way ? scopes.map(scope => ({ ...way, bearer: [scope] })) : [way]),
    ...(isUserScope && { querystring: withUserId(schema.querystring as TObject | undefined, allUsers) }),
    response: { 403: problemResponse(DESCRIPTIONS[403]), ...(schema.response as object | undefined) }
  }
}

const NAMED_USER =
  'For operators (scope `operator:read`, on routes that change something `operator:write`): ' +
  'the user whose data this is about'

function withUserId (querystring: TObject | undefined, allUsers: boolean): TObject {
  const { properties = {}, ...options } = querystring ?? {}
  const { additionalProperties } = options as { additionalProperties?: boolean }
  const description = allUsers ? `${NAMED_USER}, or \`${ALL_USERS}\` for all users` : NAMED_USER
  const userId = Type.String({
    minLength: 1,
    maxLength: MAX_USER_ID,
    pattern: '^[^\\u0000-\\u001f\\u007f]+$',
    description,
    examples: ['7']
  })
  return Type.Object(
    { ...properties, userId: Type.Optional(userId) },
    additionalProperties === undefined ? {} : { additionalProperties }
  )
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Whether operators may ask for the data of all users by `?userId=*`. */
    allUsers?: boolean
    /** False where the request is part of another one, which is logged. */
    isAudited?: boolean
    /** The route checks the access itself: its token comes another way. */
    isAccessChecked?: boolean
  }
  interface FastifyRequest {
    /**
     * The user whose data the request is about: the token's own, or the one that an operator names; '' for all users.
     */
    ownerId: string
    /** Whether an operator asks for the data of all users. Only on routes with `config.allUsers`. */
    isAllUsers: boolean
  }
}
