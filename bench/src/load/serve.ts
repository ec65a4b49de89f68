import type { Commands, Message, Request } from './commands.ts'

/** Runs in a load process: answers the bench's requests until the bench ends. */
export function serve (commands: Commands): void {
  process.on('message', (request: Request) => {
    answer(commands, request).then(send, (err: Error) => send({ id: request.id, error: err.stack ?? err.message }))
  })
  process.on('disconnect', () => process.exit())
}

/** Sends the bench a message that answers no request. */
export function notify (notification: unknown): void {
  send({ notification })
}

async function answer (commands: Commands, { id, command, argument }: Request): Promise<Message> {
  const run = commands[command]
  if (run === undefined) throw new Error(`There is no command ${command}`)
  return { id, result: await run(argument as never) }
}

function send (message: Message): void {
  if (process.connected) process.send?.(message)
}
