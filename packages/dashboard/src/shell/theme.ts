import { createStored } from '../lib/stored.ts'

export const theme = createStored('theme', ['system', 'light', 'dark'])

/** Keeps the page in the chosen colours. */
export function applyTheme (): void {
  const apply = () => { document.documentElement.dataset.theme = theme.get() }
  theme.subscribe(apply)
  apply()
}
