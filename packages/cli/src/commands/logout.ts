import { localCommand } from '../command.ts'
import { EXIT, Exit } from '../failure.ts'
import { readConfig, removeProfile } from '../profiles.ts'

export const logout = localCommand({
  name: 'logout',
  description: 'Forget a profile. Its tokens stay valid until they end',
  args: { profile: { type: 'string', valueHint: 'NAME', description: 'The current one by default' } },
  run: async ({ args, out }) => {
    const name = args.profile ?? (await readConfig()).current ?? 'default'
    const removed = await removeProfile(name)
    out.value({ profile: name, removed }, () => removed ? `${name} is forgotten` : `There is no profile ${name}`)
    if (!removed) throw new Exit(EXIT.notFound)
  }
})
