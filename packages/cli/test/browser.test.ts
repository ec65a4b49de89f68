import t from 'tap'
import { commandsOf } from '../src/browser.ts'

t.test('the command that opens an address is that of the system, or the one that BROWSER names', async t => {
  t.same(commandsOf('darwin', {}), [['open', []]])
  t.same(commandsOf('win32', {}), [['rundll32', ['url.dll,FileProtocolHandler']]])
  t.same(commandsOf('linux', { DISPLAY: ':0' }), [['xdg-open', []], ['wslview', []]])
  t.same(commandsOf('linux', { WSL_DISTRO_NAME: 'Debian', BROWSER: '' }), [['xdg-open', []], ['wslview', []]])
  t.same(commandsOf('linux', {}), [], 'no screen, no browser')
  t.same(commandsOf('linux', { DISPLAY: ':0', BROWSER: 'firefox --new-window' }), [['firefox', ['--new-window']]])
})
