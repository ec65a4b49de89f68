import { useEffect, useState } from 'react'
import { Check, Copy } from 'lucide-react'
import { announce } from '../shell/announcer.tsx'
import { Button, IconButton } from './button.tsx'

const SHOWN_MS = 1500

/** Copies a text; with `label` as its words, with `name` as an icon. */
export function CopyButton ({ text, label, name = 'Copy' }: {
  text: string | (() => string)
  label?: string
  name?: string
}) {
  const [isDone, setDone] = useState(false)
  useEffect(() => {
    if (!isDone) return
    const timer = setTimeout(setDone, SHOWN_MS, false)
    return () => clearTimeout(timer)
  }, [isDone])

  async function copy () {
    await copyText(typeof text === 'string' ? text : text())
    setDone(true)
    announce('Copied')
  }
  const icon = isDone ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />
  const onClick = () => { copy().catch(() => announce('This browser does not allow to copy')) }
  return label
    ? <Button size='small' icon={icon} onClick={onClick}>{isDone ? 'Copied' : label}</Button>
    : <IconButton label={name} onClick={onClick}>{icon}</IconButton>
}

/** The clipboard is missing on pages without TLS; there a hidden field helps. */
export async function copyText (text: string): Promise<void> {
  if (navigator.clipboard) return await navigator.clipboard.writeText(text)
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'visually-hidden'
  document.body.append(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (!isCopied) throw new Error('Not copied')
}
