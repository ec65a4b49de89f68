import { useEffect, useState } from 'react'
import { settings } from '../settings.ts'
import { requestToken } from './embedding.ts'
import { session } from './session.ts'
import styles from './sign-in.module.css'

const PATIENCE_MS = 5000

/** In a frame, in the place of signing in: the application around it sends the token. */
export function Waiting () {
  const [isLate, setLate] = useState(false)
  const ended = session.endedBecause()
  useEffect(() => {
    if (ended) requestToken()
    const timer = setTimeout(() => setLate(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [ended])
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <h1>{settings.title}</h1>
        {ended && <p role='alert' className={styles.ended}>You were signed out: {ended}</p>}
        <p role='status'>
          {isLate
            ? 'The application around this page has not signed you in. Reload it, or ask those who run it.'
            : 'Signing in…'}
        </p>
      </div>
    </main>
  )
}
