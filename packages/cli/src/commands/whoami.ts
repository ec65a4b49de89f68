import { serverCommand } from '../command.ts'
import { describeMe } from '../me.ts'

export const whoami = serverCommand({
  name: 'whoami',
  description: 'Whose token it is, and what it may do',
  run: async ({ client, out, settings, signal }) => {
    const me = await client.me({ signal })
    out.value({ url: settings.url, ...me }, () => describeMe(me, settings.url))
  }
})
