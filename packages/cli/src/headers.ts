import { valuesOf } from './command.ts'
import { UsageError } from './failure.ts'

/** The headers that an option names, `NAME:VALUE`, which may be given several times. */
export function headersOf (option: string): Record<string, string> {
  return Object.fromEntries(valuesOf(option).map(text => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? []
    if (name === undefined || value === undefined) throw new UsageError(`--${option} takes NAME:VALUE, not ${text}`)
    return [name, value]
  }))
}
