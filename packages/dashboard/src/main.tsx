import './styles/tokens.css'
import './styles/base.css'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { isEmbedded, listenToParent } from './session/embedding.ts'
import { restoreSession } from './session/session.ts'
import { settings } from './settings.ts'
import { applyTheme } from './shell/theme.ts'

applyTheme()
if (CSS.supports('color', settings.accent)) document.documentElement.style.setProperty('--accent', settings.accent)
if (isEmbedded) listenToParent()
else await restoreSession()
createRoot(document.getElementById('root') as HTMLElement).render(<App />)
