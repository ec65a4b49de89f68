import { UnrecoverableError } from 'bullmq'

// Errors that another attempt would not change. Others (EIO, EMFILE, …) may be temporary, so the job keeps its
// attempts.
const LASTING: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'the name is too long',
  EISDIR: 'is not a file',
  EACCES: 'may not be read by this worker',
  EPERM: 'may not be read by this worker'
}

/** An error that names an unreadable file without its path, which the message of the file system would reveal. */
export function unreadable (name: string, cause: NodeJS.ErrnoException): Error {
  const lasting = LASTING[cause.code ?? '']
  if (lasting) return new UnrecoverableError(`${name}: ${lasting}`)
  return new Error(`${name}: cannot be read (${cause.code ?? cause.name})`, { cause })
}
