import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'

export interface Shortcut {
  /** `?`, `j`, or two keys after each other: `g j`. */
  keys: string
  label: string
}

/** How long after the first key of two the second one counts. */
const SEQUENCE_MS = 1000

const shortcuts = new Map<object, Shortcut & { run: () => void }>()
const listeners = new Set<() => void>()
let shown: Shortcut[] = []
let first: { key: string, at: number } | undefined

/** Calls `run` when the keys are pressed, unless one is typing, holds a modifier, or a dialog is open. */
export function useShortcut (keys: string, label: string, run: () => void, isOn = true): void {
  const call = useEffectEvent(run)
  useEffect(() => {
    if (!isOn) return
    const id = {}
    shortcuts.set(id, { keys, label, run: () => call() })
    changed()
    return () => {
      shortcuts.delete(id)
      changed()
    }
  }, [keys, label, isOn])
}

/** Those that work where one is now. */
export function useShortcuts (): Shortcut[] {
  return useSyncExternalStore(listener => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, () => shown)
}

export function listenForShortcuts (): () => void {
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

function onKey (event: KeyboardEvent) {
  const { key, ctrlKey, metaKey, altKey, defaultPrevented, target } = event
  if (defaultPrevented || ctrlKey || metaKey || altKey || isTyping(target) || isDialogOpen()) return
  const sequence = first && Date.now() - first.at < SEQUENCE_MS ? `${first.key} ${key}` : undefined
  first = undefined
  const all = [...shortcuts.values()]
  // The newest first: what a page says takes precedence over the shell.
  const found = all.findLast(({ keys }) => keys === sequence) ?? all.findLast(({ keys }) => keys === key)
  if (found) {
    event.preventDefault()
    found.run()
  } else if (all.some(({ keys }) => keys.startsWith(`${key} `))) first = { key, at: Date.now() }
}

function isTyping (target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select'))
}

const isDialogOpen = () => document.querySelector('[role=dialog], [role=alertdialog]') !== null

function changed () {
  shown = [...new Map([...shortcuts.values()].map(({ keys, label }) => [keys, { keys, label }])).values()]
  for (const listener of listeners) listener()
}
