import { fork } from 'node:child_process'
import type { Serializable } from 'node:child_process'
import type { Commands, Message } from './commands.ts'

/** A process of the bench that produces or receives load, so that the bench's own event loop is not measured. */
export interface Load<C extends Commands> {
  name: string
  pid: number
  ask: <K extends keyof C & string>(command: K, ...argument: Parameters<C[K]>) => Promise<Awaited<ReturnType<C[K]>>>
  /** Receives the notifications of the process; replaces the former listener. */
  onNotification: (listener: (notification: unknown) => void) => void
  stop: () => Promise<void>
}

interface Asked { resolve: (result: never) => void, reject: (err: Error) => void }

/** Starts a load process; `entry` calls `serve(commands)`. */
export async function startLoad<C extends Commands> (name: string, entry: URL): Promise<Load<C>> {
  const child = fork(entry, { serialization: 'advanced', execArgv: [] })
  const asked = new Map<number, Asked>()
  let lastId = 0
  let listener: (notification: unknown) => void = () => {}
  let isStopping = false

  child.on('message', (message: Message) => {
    if ('notification' in message) return listener(message.notification)
    const waiting = asked.get(message.id)
    asked.delete(message.id)
    if ('error' in message) waiting?.reject(new Error(`${name}: ${message.error}`))
    else waiting?.resolve(message.result as never)
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.once('exit', (code, signal) => {
    for (const { reject } of asked.values()) reject(new Error(`The load process ${name} ended (${signal ?? code})`))
    if (!isStopping) console.error(`The load process ${name} ended (${signal ?? code})`)
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })

  return {
    name,
    pid: child.pid as number,
    ask: async (command, ...[argument]) => {
      if (!child.connected) throw new Error(`The load process ${name} is gone`)
      const id = ++lastId
      const answered = new Promise<never>((resolve, reject) => asked.set(id, { resolve, reject }))
      child.send({ id, command, argument } as Serializable)
      return await answered
    },
    onNotification: changed => { listener = changed },
    stop: async () => {
      isStopping = true
      if (child.connected) child.disconnect()
      await exited
    }
  }
}
