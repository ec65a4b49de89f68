/** What a load process can be asked to do, by name. */
export type Commands = Record<string, (argument: never) => unknown>

export interface Request { id: number, command: string, argument: unknown }

/** An answer to a request, or news that nobody asked for. */
export type Message =
  | { id: number, result: unknown }
  | { id: number, error: string }
  | { news: unknown }
