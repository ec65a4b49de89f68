import t from 'tap'
import { messageOf, stacksOf } from '../../../src/relay/attempts/stack-message.ts'

t.test('the message of a stack is that of its error', async t => {
  t.equal(messageOf(new Error('no luck').stack), 'no luck')
  t.equal(messageOf(new TypeError('two\nlines: of it').stack), 'two\nlines: of it')
  t.equal(messageOf('Error: connect: refused\n    at Socket (node:net:1:2)'), 'connect: refused')
  t.equal(messageOf('just a text'), 'just a text')
  t.equal(messageOf('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: not good\n'), 'not good')
  t.equal(messageOf(undefined), undefined)
  t.equal(messageOf({}), undefined)
})

t.test('stacks that are no JSON list are none', async t => {
  t.same(stacksOf('["a","b"]'), ['a', 'b'])
  for (const text of ['', 'x', '{}', 'null']) t.same(stacksOf(text), [])
})
