import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Login = { host: string, port: number, user: string | undefined, database: string | undefined }

/** The password that libpq would find: in PGPASSFILE, else in ~/.pgpass; empty where there is none. */
export function passwordOf ({ host, port, user = '', database = '' }: Login, env: NodeJS.ProcessEnv): string {
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user]
  for (const line of linesOf(env.PGPASSFILE ?? join(env.HOME ?? homedir(), '.pgpass'))) {
    const fields = line.match(/(?:\\.|[^:\\])+/g)?.map(field => field.replaceAll(/\\(.)/g, '$1')) ?? []
    if (fields.length >= 5 && wanted.every((text, i) => fields[i] === '*' || fields[i] === text)) {
      return fields.slice(4).join(':')
    }
  }
  return ''
}

function linesOf (file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(line => line !== '' && !line.startsWith('#'))
  } catch {
    return [] // usually there is no such file
  }
}
