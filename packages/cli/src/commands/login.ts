import { isCancel, password, text } from '@clack/prompts'
import { localCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { EXIT, Exit, UsageError } from '../failure.ts'
import { describeMe } from '../me.ts'
import { configPath, saveProfile } from '../profiles.ts'
import { checkUrl, type Settings } from '../settings.ts'
import { readInput } from '../input.ts'

export const login = localCommand({
  name: 'login',
  description: 'Keep a server and a token for it, after trying them',
  args: {
    url: { type: 'string', valueHint: 'URL', description: 'The server (TIDINGS_URL); asked for otherwise' },
    token: { type: 'string', valueHint: 'TOKEN', description: 'The access token; - for standard input' },
    'refresh-token': { type: 'string', valueHint: 'TOKEN', description: 'Renews the access token when it ends' },
    profile: { type: 'string', valueHint: 'NAME', default: 'default', description: 'The name to keep them under' }
  },
  run: async ({ args, out, signal }) => {
    const url = checkUrl(args.url ?? process.env.TIDINGS_URL ?? await ask('url', () => text({ message: 'Server' })))
    const given = args.token ?? process.env.TIDINGS_TOKEN ?? await ask('token', () => password({ message: 'Token' }))
    const token = given === '-' ? (await readInput('-')).trim() : given
    const settings: Settings = {
      url, token, refreshToken: args['refresh-token'], profile: undefined, user: undefined
    }
    const client = connect(settings)
    try {
      const me = await client.me({ signal })
      await saveProfile(args.profile, { url, token: settings.token, refreshToken: settings.refreshToken })
      out.value({ profile: args.profile, url, ...me }, () => describeMe(me, url))
      out.note(`kept as ${args.profile} in ${configPath()}`)
    } finally {
      client.close()
    }
  }
})

async function ask (option: string, prompt: () => ReturnType<typeof text>): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new UsageError(`--${option} is needed where nobody can be asked`)
  const answer = await prompt()
  if (isCancel(answer)) throw new Exit(EXIT.interrupted)
  return answer
}
