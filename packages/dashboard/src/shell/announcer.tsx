import { useSyncExternalStore } from 'react'

/** Between two announcements: a screen reader that is interrupted all the time says nothing. */
const PACE_MS = 5000

const listeners = new Set<() => void>()
let said = ''
let next: string | undefined
let timer: ReturnType<typeof setTimeout> | undefined

/** Says a sentence to people who do not see the page; within five seconds only the newest one. */
export function announce (text: string): void {
  next = text
  if (timer === undefined) sayNext()
}

export function Announcer () {
  const text = useSyncExternalStore(listener => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, () => said)
  return <div role='status' aria-live='polite' className='visually-hidden'>{text}</div>
}

function sayNext () {
  timer = undefined
  if (next === undefined) return
  said = next
  next = undefined
  timer = setTimeout(sayNext, PACE_MS)
  for (const listener of listeners) listener()
}
