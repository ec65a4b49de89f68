import { useState } from 'react'
import { Code } from 'lucide-react'
import { useActing } from '../live/tidings.tsx'
import { servicesUrl } from '../settings.ts'
import { Button } from './button.tsx'
import styles from './call.module.css'
import { CopyButton } from './copy-button.tsx'
import { Dialog } from './dialog.tsx'

interface ShownRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root of the services, with its query: `/jobs?status=failed`. */
  path: string
  body?: unknown
  /** The same with the client: an expression that begins with `client.` */
  sdk: string
}

export interface CallProps extends ShownRequest {
  size?: 'normal' | 'small'
  /** Requests for the actions of the page, each with its name. */
  more?: (ShownRequest & { name: string })[]
}

/** Shows the request that a page, or an action, makes: as curl, and with the client. */
export function Call ({ size, more = [], ...request }: CallProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Button size={size} icon={<Code size={15} aria-hidden />} onClick={() => setOpen(true)}>API</Button>
      <Dialog isOpen={isOpen} onClose={() => setOpen(false)} title='The same by API' isWide>
        <Texts {...request} />
        {more.map(({ name, ...each }) => <Texts key={name} of={name} {...each} />)}
      </Dialog>
    </>
  )
}

/** `of`: what the request does, where that is not what the page shows. */
function Texts ({ of, method = 'GET', path, body, sdk }: ShownRequest & { of?: string }) {
  const userId = useActing()
  const acting = userId === undefined
    ? path
    : `${path}${path.includes('?') ? '&' : '?'}userId=${encodeURIComponent(userId)}`
  const texts = { curl: curlOf({ method, path: acting, body }), 'TypeScript (tidings)': sdkOf(sdk, userId) }
  return Object.entries(texts).map(([name, text]) => {
    const heading = of ? `${of}: ${name}` : name
    return (
      <section key={name} className={styles.call}>
        <div className={styles.head}><h3>{heading}</h3><CopyButton text={text} label='Copy' /></div>
        <pre tabIndex={0} role='region' aria-label={heading}>{text}</pre>
      </section>
    )
  })
}

function curlOf ({ method, path, body }: Pick<ShownRequest, 'method' | 'path' | 'body'>): string {
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quote(servicesUrl + path)}`,
    '-H "authorization: Bearer $TIDINGS_TOKEN"',
    ...(body === undefined ? [] : ['-H \'content-type: application/json\'', `-d ${quote(JSON.stringify(body))}`])
  ]
  return lines.join(' \\\n  ')
}

const quote = (text: string) => `'${text.replaceAll('\'', '\'\\\'\'')}'`

function sdkOf (expression: string, userId: string | undefined): string {
  const options = [
    `url: '${servicesUrl}'`, 'token: process.env.TIDINGS_TOKEN', ...(userId === undefined ? [] : [`userId: ${quote(userId)}`])
  ]
  return [
    'import { createClient } from \'tidings\'',
    '',
    `const client = createClient({ ${options.join(', ')} })`,
    expression
  ].join('\n')
}
