import t from 'tap'
import { createScreen } from '../../src/sample/screen.ts'

function record (isTTY: boolean) {
  const written: string[] = []
  return { written, screen: createScreen({ isTTY, write: (text: string) => { written.push(text); return true } }) }
}

t.test('on a terminal the bar stays below the lines', async t => {
  const { written, screen } = record(true)
  screen.bar('work', 50)
  screen.line('something')
  screen.bar('work', 100)
  t.same(written.map(text => text.replaceAll('\u001b[K', '')), [
    `\rwork [${'#'.repeat(15)}${'-'.repeat(15)}] 50 %`,
    `\rsomething\nwork [${'#'.repeat(15)}${'-'.repeat(15)}] 50 %`,
    `\rwork [${'#'.repeat(30)}] 100 %\n`
  ])
})

t.test('without a terminal each tenth is a line', async t => {
  const { written, screen } = record(false)
  for (const percent of [1, 5, 11, 12, 100]) screen.bar('work', percent)
  screen.line('done')
  t.equal(written.length, 4)
  t.same(written.at(-1), 'done\n')
})
