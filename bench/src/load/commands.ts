/** The commands of a load process, by name. */
export type Commands = Record<string, (argument: never) => unknown>

export interface Request { id: number, command: string, argument: unknown }

/** An answer to a request, or a notification, which answers none. */
export type Message =
  | { id: number, result: unknown }
  | { id: number, error: string }
  | { notification: unknown }
