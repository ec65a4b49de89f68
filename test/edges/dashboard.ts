import { join } from 'node:path'
import { root } from '@tidings/local'

export const DASHBOARD_ENV = {
  DASHBOARD_FOLDER: join(root, 'packages', 'dashboard', 'dist', 'web'),
  DASHBOARD_TITLE: 'A & "B"',
  DASHBOARD_FRAME_ANCESTORS: 'https://app.example'
}

const PATHS = [
  '/', '/dashboard', '/dashboard/', '/dashboard/jobs', '/dashboard/jobs/1%2F2', '/dashboard/icon.svg',
  '/dashboard/assets/none.js'
]

/** What an edge responds to a browser that loads the dashboard, by path. */
export async function askForDashboard (origin: string) {
  const page = await (await fetch(`${origin}/dashboard/`)).text()
  const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(page)?.[1]
  const paths = Object.fromEntries([...PATHS.map(path => [path, path]), ['script', `/dashboard/${script}`]])
  return Object.fromEntries(await Promise.all(Object.entries(paths).map(async ([name, path]) => {
    const response = await fetch(origin + path, { redirect: 'manual' })
    const { status, headers } = response
    const text = await response.text()
    return [name, {
      status,
      location: headers.get('location'),
      type: headers.get('content-type'),
      cache: headers.get('cache-control'),
      policy: headers.get('content-security-policy'),
      sniff: headers.get('x-content-type-options'),
      referrer: headers.get('referrer-policy'),
      isCompressed: name === 'script' && headers.has('content-encoding'),
      body: status === 200 ? text : ''
    }] as const
  })))
}
