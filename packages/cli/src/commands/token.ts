import { serverCommand } from '../command.ts'
import { renew } from '../connect.ts'

/** A token that ends sooner is renewed first. */
const LEAST_MS = 60_000

export const token = serverCommand({
  name: 'token',
  description: 'Print an access token that is valid now, for curl: it is renewed where a refresh token is kept',
  run: async ({ client, settings, signal, out }) => {
    const { expiresAt } = await client.me({ signal }) // renews one that has ended
    if (expiresAt !== null && expiresAt - Date.now() < LEAST_MS) await renew(settings, signal)
    const { token = '' } = settings
    out.value({ token }, () => token)
  }
})
