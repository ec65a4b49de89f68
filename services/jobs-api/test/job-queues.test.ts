import t from 'tap'
import { jobQueuesOf, queueFaults } from '../src/job-queues.ts'

t.test('a queue may have a prefix of its own', async t => {
  t.same(jobQueuesOf('default, {acme}:reports,a:b:c,default'), [
    { name: 'default', prefix: 'bull' }, { name: 'reports', prefix: '{acme}' }, { name: 'c', prefix: 'a:b' }
  ])
})

t.test('queues that cannot be relayed are refused with a reason', async t => {
  const faultOf = (text: string, isCluster = false) => queueFaults(jobQueuesOf(text), { isCluster }).join()
  t.equal(faultOf('default,{acme}:reports'), '')
  t.match(faultOf(''), /must contain a queue/)
  t.match(faultOf('reports,{acme}:reports'), /two prefixes/)
  t.match(faultOf('a b:reports'), /not a valid queue prefix/)
  t.match(faultOf('x:'), /not a valid queue name/)
  t.equal(faultOf('{bull}:default,{reports}', true), '')
  t.match(faultOf('default', true), /needs a hash tag: write \{bull\}:default/)
})
