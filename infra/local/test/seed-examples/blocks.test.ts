import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../src/index.ts'
import { javascriptBlocks, substitute } from '../../src/seed-examples/blocks.ts'
import { examples } from '../../src/seed-examples/examples.ts'

t.test('finds the first JavaScript block below a heading', async t => {
  const markdown =
    '# One\n```json\n{}\n```\n```javascript\na()\n\n# no heading\n```\n```javascript\nb()\n```\n### Two\ntext\n'
  t.same([...javascriptBlocks(markdown)], [['One', 'a()\n\n# no heading']])
})

t.test('the document has every example', async t => {
  const blocks = javascriptBlocks(readFileSync(join(root, 'docs', 'job-notifications.md'), 'utf8'))
  for (const name of Object.keys(examples)) t.ok(blocks.has(name), name)
})

t.test('a substitution must occur in the code', async t => {
  t.equal(substitute('one two one', [{ from: 'one', to: '1' }]), '1 two 1')
  t.throws(() => substitute('one', [{ from: 'three', to: '3' }]), { message: 'The document no longer contains three' })
})
