import { useState, type FormEvent } from 'react'
import { KeyRound } from 'lucide-react'
import { settings } from '../settings.ts'
import { Button } from '../ui/button.tsx'
import { session, subjectOf } from './session.ts'
import styles from './sign-in.module.css'

/** Takes a token. The address of the page may bring it as well: `#token=…&refresh=…`. */
export function SignIn () {
  const [token, setToken] = useState('')
  const [isRemembered, setRemembered] = useState(false)
  const [fault, setFault] = useState<string>()
  const ended = session.endedBecause()

  function submit (event: FormEvent) {
    event.preventDefault()
    const given = token.trim().replace(/^Bearer\s+/i, '')
    if (subjectOf(given) === undefined) setFault('This is not an access token: it has three parts, with dots between.')
    else session.begin({ token: given, isRemembered })
  }

  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={submit} noValidate>
        <img src={settings.logo || './icon.svg'} alt='' width={36} height={36} />
        <h1>{settings.title}</h1>
        {ended && <p role='alert' className={styles.ended}>You were signed out: {ended}</p>}
        {settings.signInUrl && (
          <p>
            <a href={`${settings.signInUrl}${settings.signInUrl.includes('?') ? '&' : '?'}return=${encodeURIComponent(location.href)}`}>
              Sign in with your account
            </a>, or with an access token:
          </p>
        )}
        <label htmlFor='token'>Access token</label>
        <textarea
          id='token' rows={4} autoComplete='off' spellCheck={false} required value={token}
          aria-invalid={fault !== undefined} aria-describedby={fault ? 'token-fault' : 'token-help'}
          onChange={event => { setToken(event.target.value); setFault(undefined) }}
        />
        {fault && <p id='token-fault' role='alert' className={styles.fault}>{fault}</p>}
        <label className={styles.check}>
          <input type='checkbox' checked={isRemembered} onChange={event => setRemembered(event.target.checked)} />
          Keep it in this tab until it is closed
        </label>
        <Button type='submit' kind='primary' icon={<KeyRound size={15} aria-hidden />}>Sign in</Button>
        <p id='token-help' className={styles.help}>
          On your machine, <code>npm run token</code> prints one. It stays in the memory of this page, and is sent to
          no other site.
        </p>
      </form>
    </main>
  )
}
