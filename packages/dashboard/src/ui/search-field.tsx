import { useEffect, useRef, useState } from 'react'
import { Search } from 'lucide-react'
import { useShortcut } from '../shell/shortcuts.ts'
import styles from './search-field.module.css'

/** While one types, nothing is asked for. */
const TYPING_MS = 300

interface SearchFieldProps {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
}

/** What is typed is searched for after a pause, or with Enter; `/` leads to it. */
export function SearchField ({ label, placeholder, value, onChange }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const sent = useRef(value)
  useShortcut('/', 'Search', () => field.current?.focus())
  useEffect(() => {
    // The address has changed by itself, as by the way back.
    if (value !== sent.current) setText(sent.current = value)
  }, [value])
  const send = () => {
    if (text === sent.current) return
    sent.current = text
    onChange(text)
  }
  useEffect(() => {
    if (text === sent.current) return
    const timer = setTimeout(send, TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label className={styles.search}>
      <Search size={15} aria-hidden />
      <span className='visually-hidden'>{label}</span>
      <input
        ref={field} type='search' placeholder={placeholder} value={text} spellCheck={false} autoComplete='off'
        onChange={event => setText(event.target.value)}
        onKeyDown={({ key }) => {
          if (key === 'Escape') field.current?.blur()
          if (key === 'Enter') send()
        }}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  )
}
