import { useState } from 'react'
import { toastError } from './toasts.tsx'

/** Runs what a button does: `isBusy` until it has ended, with a toast where it fails. `run` never rejects. */
export function useAction (): { isBusy: boolean, run: (act: () => Promise<void>) => Promise<void> } {
  const [isBusy, setBusy] = useState(false)
  async function run (act: () => Promise<void>) {
    setBusy(true)
    try {
      await act()
    } catch (error) {
      toastError(error)
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, run }
}
