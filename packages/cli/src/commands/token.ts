import { CONNECTION_ARGS, localCommand, withClient, type Tools } from '../command.ts'
import { renew } from '../connect.ts'
import { UsageError } from '../failure.ts'
import { duration, parseDuration } from '../text.ts'

/** A token that ends sooner is renewed first. */
const LEAST_MS = 60_000

const { url, token: given, profile } = CONNECTION_ARGS

export const token = localCommand({
  name: 'token',
  description: 'Print an access token for curl: that of the profile, or with --user one signed with TOKEN_SECRET',
  args: {
    user: { type: 'string', valueHint: 'ID', description: 'Sign one for this user, in place of an identity provider' },
    scope: { type: 'string', valueHint: 'LIST', description: 'As jobs:read,jobs:write; by default all for its user' },
    'expires-in': { type: 'string', valueHint: 'TIME', description: 'When it ends: 30m, 12h, 7d; 1d by default' },
    refresh: { type: 'boolean', description: 'Print a refresh token too, signed with REFRESH_TOKEN_SECRET' },
    url,
    token: given,
    profile
  },
  run: async tools => {
    const { args, out, signal } = tools
    if (args.user !== undefined) return await sign(args.user, args, out)
    const option = (['scope', 'expires-in', 'refresh'] as const).find(name => args[name])
    if (option) throw new UsageError(`--${option} is for a token that is signed here: pass --user too`)
    await withClient(args, async (client, settings) => {
      const { expiresAt } = await client.me({ signal }) // renews one that has ended
      if (expiresAt !== null && expiresAt - Date.now() < LEAST_MS) await renew(settings, signal)
      const { token = '' } = settings
      out.value({ token }, () => token)
    })
  }
})

interface SignOptions {
  scope?: string | undefined
  'expires-in'?: string | undefined
  refresh?: boolean | undefined
}

/** Stands in for an identity provider. */
async function sign (userId: string, options: SignOptions, out: Tools<{}>['out']): Promise<void> {
  const { scope, 'expires-in': expiresIn = '1d', refresh = false } = options
  const expiresInMs = parseDuration(expiresIn)
  if (!expiresInMs) throw new UsageError(`--expires-in takes a duration such as 30m or 7d, not ${expiresIn}`)
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET, JWT_ISSUER, JWT_AUDIENCE } = process.env
  if (refresh && !REFRESH_TOKEN_SECRET) throw new UsageError('REFRESH_TOKEN_SECRET is not set: --refresh signs with it')
  const settings = {
    TOKEN_SECRET, JWT_ISSUER, JWT_AUDIENCE, ...(refresh && { REFRESH_TOKEN_SECRET })
  }
  const { issueTokens } = await import('@tidings/contracts/tokens') // other commands need not load its libraries
  const { token, refreshToken } = orUsage(() => issueTokens({ userId, scope, expiresInMs }, settings))
  out.note(`user ${userId}; ends in ${duration(expiresInMs)}`)
  out.value({ token, refreshToken }, () => [token, refreshToken].filter(Boolean).join('\n'))
}

function orUsage<T> (work: () => T): T {
  try {
    return work()
  } catch (err) {
    throw err instanceof TypeError ? new UsageError(err.message) : err
  }
}
