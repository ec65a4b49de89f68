import { useState, type FormEvent } from 'react'
import { useLocation } from 'wouter'
import { UserRound } from 'lucide-react'
import { hrefAs } from '../session/acting.ts'
import { Button } from '../ui/button.tsx'
import styles from './operators-page.module.css'

/** Leads to the pages of a user, as that user sees them. */
export function OpenUser () {
  const [, navigate] = useLocation()
  const [userId, setUserId] = useState('')
  function submit (event: FormEvent) {
    event.preventDefault()
    const id = userId.trim()
    if (id !== '') navigate(hrefAs(id, '/jobs'))
  }
  return (
    <form className={styles.open} onSubmit={submit}>
      <label htmlFor='user-id' className='visually-hidden'>Id of a user</label>
      <input
        id='user-id' placeholder='Id of a user' autoComplete='off' maxLength={128} required value={userId}
        onChange={event => setUserId(event.target.value)}
      />
      <Button type='submit' icon={<UserRound size={15} aria-hidden />}>Open</Button>
    </form>
  )
}
