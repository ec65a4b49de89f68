import { UnrecoverableError } from 'bullmq'

// What another attempt would not change. Anything else (EIO, EMFILE, …) may pass, so such a job keeps its attempts.
const LASTING: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'the name is too long',
  EISDIR: 'is not a file',
  EACCES: 'may not be read by this worker',
  EPERM: 'may not be read by this worker'
}

/** Says that a file cannot be read, by its name alone: a file system's own message would tell the whole path. */
export function unreadable (name: string, cause: NodeJS.ErrnoException): Error {
  const lasting = LASTING[cause.code ?? '']
  if (lasting) return new UnrecoverableError(`${name}: ${lasting}`)
  return new Error(`${name}: cannot be read (${cause.code ?? cause.name})`, { cause })
}
