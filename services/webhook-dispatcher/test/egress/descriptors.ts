// Run by own-fault.test.ts in a process with few file descriptors: reports what becomes of an attempt while none is
// left, and after.
import { closeSync, openSync } from 'node:fs'
import { createAttempter } from '../../src/egress/attempt.ts'

const attempt = createAttempter({ allowPrivate: true, requireHttps: false })
const post = async () => await attempt({ url: process.argv[2] as string, headers: {}, body: '', timeoutMs: 10_000 })

const open: number[] = []
try {
  while (open.length < 10_000) open.push(openSync('/dev/null', 'r'))
} catch { /* all are taken */ }
const { reason, message } = await post().then(outcome => { throw new Error(JSON.stringify(outcome)) }, err => err)
for (const descriptor of open) closeSync(descriptor)
const { ok } = await post()
console.log(JSON.stringify({ reason, message, ok }))
await attempt.close()
