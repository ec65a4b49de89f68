import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { userIdFault, userIdText } from '@tidings/contracts'
import { invalidInput, jsonBodies, problems, serviceOptions, validatorCompiler } from '@tidings/service-kit'
import { REVOKED } from '../transports/socket-io/cluster-adapter.ts'

const Revoke = Type.Object({
  userId: Type.Union([
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    Type.String({ minLength: 1, maxLength: 128 })
  ])
}, { additionalProperties: false })

const Revoked = Type.Object({
  userId: Type.String(),
  notBefore: Type.Integer({ description: 'Seconds since 1970: tokens that were issued earlier are refused' })
})

/**
 * The admin server: `POST /revocations` on a port of its own, off unless REALTIME_INTERNAL_PORT is set. It requires no
 * token, so it listens on an address of its own. Applies the revocations of other replicas in any case.
 */
export const adminServer = fp(async function adminServer (app) {
  const { config, io, revocations, log } = app
  io.on(REVOKED, (userId: string, notBefore: number) => revocations.apply(userId, notBefore))

  async function revoke (userId: string) {
    const notBefore = await revocations.revoke(userId)
    revocations.apply(userId, notBefore)
    io.serverSideEmit(REVOKED, userId, notBefore)
    log.info({ userId, notBefore }, 'sessions revoked')
    return { userId, notBefore }
  }

  const { REALTIME_INTERNAL_PORT: port, REALTIME_INTERNAL_HOST: host } = config
  if (port === undefined) return
  const internal = Fastify(serviceOptions(config)).withTypeProvider<TypeBoxTypeProvider>()
  internal.setValidatorCompiler(validatorCompiler)
  internal.register(problems)
  internal.register(jsonBodies)
  internal.post('/revocations', { schema: { body: Revoke, response: { 200: Revoked } } }, async ({ body }) => {
    const userId = userIdText(body.userId)
    if (userId === undefined) throw invalidInput([{ path: 'body.userId', message: userIdFault(body.userId) }])
    return await revoke(userId)
  })

  app.decorate('internal', internal)
  app.addHook('onListen', async () => { await internal.listen({ host, port }) })
  app.addHook('preClose', async () => { await internal.close() })
}, { name: 'admin-server', dependencies: ['admission', 'socket-io'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** The admin server, if its port is set. */
    internal?: { server: FastifyInstance['server'] }
  }
}
