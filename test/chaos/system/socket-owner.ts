import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Whether the process has a TCP connection over IPv4 from this local port. Linux only: it reads /proc. */
export function ownsPort (pid: number, port: number): boolean {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const sockets = readFileSync('/proc/net/tcp', 'utf8').split('\n').flatMap(line => {
    const fields = line.trim().split(/\s+/)
    return fields[1]?.endsWith(hex) ? [`socket:[${fields[9]}]`] : []
  })
  return descriptors(pid).some(target => sockets.includes(target))
}

function descriptors (pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap(name => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      return [] // closed meanwhile
    }
  })
}
