import t from 'tap'
import { renderUserId, userIdFault, userIdText } from '../src/index.ts'

t.test('7 and "7" are one user, shown as 7', async t => {
  t.equal(userIdText(7), userIdText('7'))
  t.equal(renderUserId('7'), 7)
})

t.test('only a canonical safe integer is rendered as a number', async t => {
  for (const text of ['07', '7.0', '1e3', '+7', '-0', ' 7', '9007199254740993', 'alice', '']) {
    t.equal(renderUserId(text), text)
  }
  for (const number of [0, -5, 123456789, Number.MAX_SAFE_INTEGER]) t.equal(renderUserId(String(number)), number)
})

t.test('a number is a user only where it is a safe integer', async t => {
  for (const text of ['9007199254740992', '9007199254740993', '-9007199254740993', '7.5', '1e300', '1e400']) {
    t.equal(userIdText(JSON.parse(text)), undefined, text)
    t.match(userIdFault(JSON.parse(text)), '2^53-1')
    t.equal(userIdText(text), text, 'as a string it identifies a user')
  }
  for (const text of ['9007199254740991', '-5', '0', '1e3', '7.0']) {
    t.equal(userIdText(JSON.parse(text)), String(Number(text)))
  }
})

t.test('other claims do not identify a user', async t => {
  for (const claim of [undefined, null, '', {}, [], true, NaN, Infinity, 'a\nb', 'x'.repeat(129), 'caf\ufffd']) {
    t.equal(userIdText(claim), undefined)
  }
  t.equal(userIdText('x'.repeat(128)), 'x'.repeat(128))
})
