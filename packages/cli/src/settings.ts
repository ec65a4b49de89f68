import { UsageError } from './failure.ts'
import { readConfig, type Profile } from './profiles.ts'

/** Options of every command that asks the server. */
export interface ConnectionArgs {
  url?: string | undefined
  token?: string | undefined
  profile?: string | undefined
  user?: string | undefined
}

export interface Settings extends Profile {
  /** Whose tokens are renewed in the file; undefined where they came from elsewhere. */
  profile: string | undefined
  /** An operator's: whose data it is about. */
  user: string | undefined
}

/** Where to go, and with which token: options first, then the environment, then the profile. */
export async function readSettings ({ url, token, profile, user }: ConnectionArgs): Promise<Settings> {
  const { TIDINGS_URL, TIDINGS_TOKEN, TIDINGS_PROFILE } = process.env
  const { current, profiles } = await readConfig()
  const asked = profile || TIDINGS_PROFILE
  const name = asked || current || 'default'
  const saved = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (asked && !saved) throw new UsageError(`There is no profile ${name}: tidings login --profile ${name}`)
  const address = url || (profile ? undefined : TIDINGS_URL) || saved?.url
  if (!address) {
    throw new UsageError('Which server? Pass --url, set TIDINGS_URL, or run tidings login')
  }
  const given = token || (profile ? undefined : TIDINGS_TOKEN)
  const isOther = saved !== undefined && address !== saved.url // its tokens are not for this server
  const own = given || isOther ? undefined : saved
  return {
    url: checkUrl(address),
    token: given ?? own?.token,
    refreshToken: own?.refreshToken,
    profile: own && name,
    user: user || undefined
  }
}

export function checkUrl (text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return url.href.replace(/\/+$/, '')
  throw new UsageError(`${text} is not the address of a server, as https://example.com/tidings`)
}
