import t from 'tap'
import { isItemFault } from '../src/item-fault.ts'

const coded = (code: string) => Object.assign(new Error('refused'), { code })

t.test('faults of items are distinguished from faults of stores and of this process', async t => {
  for (const err of [
    coded('22021'), coded('22P02'), coded('23514'), coded('54001'), coded('UNDEFINED_VALUE'),
    coded('ERR_INVALID_ARG_TYPE'), new RangeError('deep'), new Error('WRONGTYPE Operation')
  ]) {
    t.ok(isItemFault(err), `${err.message} ${String((err as { code?: string }).code)}`)
  }
  for (const err of [
    coded('57014'), coded('40001'), coded('42703'), coded('53100'), coded('25006'), coded('ECONNREFUSED'),
    coded('CONNECTION_CLOSED'), coded('EMFILE'), coded('EPIPE'), new Error('LOADING'), 'a text', undefined
  ]) {
    t.notOk(isItemFault(err), `${String(err)} ${String((err as { code?: string } | undefined)?.code)}`)
  }
})
