import t from 'tap'
import { asyncApiDocument } from '@tidings/contracts/asyncapi'
import { PAGE_HEADERS, renderPage } from '../../src/docs/page.ts'

const document = asyncApiDocument('1.2.3')
const page = renderPage(document)

t.test('the page has each channel, message and schema once, and every link leads to one', async t => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id as string)
  t.equal(new Set(ids).size, ids.length)
  const { channels, components: { messages, schemas } } = document
  for (const id of Object.keys(channels)) t.ok(ids.includes(`channel-${id}`), id)
  for (const id of Object.keys(messages)) t.ok(ids.includes(`message-${id}`), id)
  for (const id of Object.keys(schemas)) t.ok(ids.includes(`schema-${id}`), id)
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id as string)
  t.ok(links.length > 100)
  t.same(links.filter(id => !ids.includes(id)), [])
  t.match(page, '1.2.3')
})

t.test('the page loads nothing, runs nothing, and no text of the document is markup', async t => {
  t.notMatch(page, /<script|<link|<img|src=|@import|url\(|style="/)
  t.match(PAGE_HEADERS['content-security-policy'], /^default-src 'none';style-src 'sha256-/)
  const title = '<img src=x onerror=alert(1)>'
  const hostile = renderPage({ ...document, info: { ...document.info, title, description: '`<b>`' } })
  t.notMatch(hostile, title)
  t.match(hostile, '<code>&lt;b&gt;</code>')
})
