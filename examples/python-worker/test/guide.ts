import { readFile } from 'node:fs/promises'

type SnippetName = 'worker' | 'cancel' | 'submit' | 'events' | 'flask'
type Snippets = Record<SnippetName, string>

/** By a text that only that snippet has. */
const MARKS: Record<SnippetName, string> = {
  worker: 'worker = Worker(',
  cancel: 'def is_cancelled',
  submit: 'import submit',
  events: 'import follow',
  flask: '@app.post'
}

/** The Python of docs/guides/python.md, all of it. */
export async function guideSnippets (): Promise<Snippets> {
  const guide = await readFile(new URL('../../../docs/guides/python.md', import.meta.url), 'utf8')
  const all = [...guide.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(([, code]) => code as string)
  const found = Object.entries(MARKS).map(([name, mark]) => {
    const code = all.filter(snippet => snippet.includes(mark))
    if (code.length !== 1) throw new Error(`${code.length} snippets have "${mark}"`)
    return [name, code[0]]
  })
  if (found.length !== all.length) throw new Error(`${all.length} snippets: add the new one to the programs`)
  return Object.fromEntries(found) as Snippets
}

const indented = (code: string) => code.replace(/^(?=.)/gm, '    ')
const ADDRESS = 'https://example.com/tidings'

/** What a snippet leaves to its reader, and the snippet. */
export const programs = {
  workers: ({ worker, cancel }: Snippets) => `
import asyncio, os
from redis.asyncio import Redis

def work_on(data, percent):
    pass

${cancel}
async def main():
${indented(worker).replace('"redis://127.0.0.1:6379"', 'os.environ["REDIS_URL"]')}
    redis = Redis.from_url(os.environ["REDIS_URL"])

    async def until_cancelled(job, token):
        while not await is_cancelled(redis, "cancellable", job):
            await asyncio.sleep(0.02)
        raise UnrecoverableError("Cancelled by user")

    other = Worker("cancellable", until_cancelled, {"connection": os.environ["REDIS_URL"]})
    print("started", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
`,
  submit: ({ submit }: Snippets) => `
import json, os

token = os.environ["TOKEN"]
${submit.replace(`"${ADDRESS}"`, 'os.environ["TIDINGS_URL"]')}
print(json.dumps(job), flush=True)
`,
  follow: ({ events }: Snippets) => `
import json, os, sys

def load_cursor():
    return os.environ["CURSOR"]

def save_cursor(cursor):
    pass

def reload_jobs():
    print(json.dumps({"type": "gap"}), flush=True)

def get_token():
    return os.environ["TOKEN"]

def finish(job_id, result):
    print(json.dumps({"jobId": job_id, "result": result}), flush=True)

${events.replace(`"${ADDRESS}"`, 'os.environ["TIDINGS_URL"]')}
`,
  flask: ({ flask }: Snippets) => `
import json, logging, os
from flask import Flask, request
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
handled = set()

def is_new(event_id):
    return event_id not in handled and handled.add(event_id) is None

def handle(payload):
    print(json.dumps(payload), flush=True)

${flask}
make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True).serve_forever()
`
}
