import type { JobsOptions } from 'bullmq'
import type { Bench, Transition } from './transition.ts'

const done = async () => 'done'
const fail = async () => { throw new Error('no luck') }

type Flow = { name: string, child?: JobsOptions, parent?: JobsOptions, childQueue?: string }

async function addFlow ({ flow, queue }: Bench, { name, child = {}, parent = {}, childQueue = queue.name }: Flow) {
  const added = await flow.add({
    name,
    queueName: queue.name,
    data: { userId: 1 },
    opts: parent,
    children: [{ name: `${name}, child`, queueName: childQueue, data: { userId: 1 }, opts: child }]
  })
  return { parent: added.job.id as string, child: added.children?.[0]?.job.id as string }
}

const FAILED_CHILD = 'added waiting active failed(no luck) = failed'

/** A flow whose child fails, with an option of the child. */
function failing (name: string, option: JobsOptions, parent: string): Transition {
  return {
    name,
    queue: 'busy',
    expected: { parent, child: FAILED_CHILD },
    run: async bench => {
      bench.process(done)
      bench.process(fail, `${name}, child`)
      return await addFlow(bench, { name, child: option })
    }
  }
}

export const flows: Transition[] = [
  {
    name: 'a child completes',
    queue: 'busy',
    expected: {
      parent: 'added waiting waiting active completed = completed', child: 'added waiting active completed = completed'
    },
    run: async bench => {
      bench.process(done)
      bench.process(done, 'a child completes, child')
      return await addFlow(bench, { name: 'a child completes' })
    }
  },
  {
    name: 'a child completes, its parent is delayed then',
    queue: 'busy',
    expected: {
      parent: 'added waiting delayed waiting active completed = completed',
      child: 'added waiting active completed = completed'
    },
    run: async bench => {
      const name = 'a child completes, its parent is delayed then'
      bench.process(done)
      bench.process(done, `${name}, child`)
      return await addFlow(bench, { name, parent: { delay: 100 } })
    }
  },
  failing('a child fails, failParentOnFailure', {
    failParentOnFailure: true
  }, 'added waiting waiting active failed(child <child> failed) = failed'),
  failing('a child fails, ignoreDependencyOnFailure', {
    ignoreDependencyOnFailure: true
  }, 'added waiting waiting active completed = completed'),
  failing('a child fails, continueParentOnFailure', {
    continueParentOnFailure: true
  }, 'added waiting waiting active completed = completed'),
  failing('a child fails, removeDependencyOnFailure', {
    removeDependencyOnFailure: true
  }, 'added waiting waiting active completed = completed'),
  failing('a child fails, none of these', {}, 'added waiting = waiting'),
  {
    name: 'a child is taken out of its flow',
    queue: 'busy',
    notInPython: 'it has no removeChildDependency',
    expected: { parent: 'added waiting waiting active completed = completed', child: 'added waiting = waiting' },
    run: async bench => {
      const name = 'a child is taken out of its flow'
      bench.process(done)
      const ids = await addFlow(bench, { name, childQueue: 'idle' })
      await (await bench.queueNamed('idle').getJob(ids.child))?.removeChildDependency()
      return ids
    }
  },
  {
    name: 'a child is removed',
    queue: 'busy',
    expected: {
      parent: 'added waiting waiting active completed = completed',
      child: 'added waiting failed(Removed from the queue) = failed'
    },
    run: async bench => {
      const name = 'a child is removed'
      bench.process(done)
      const ids = await addFlow(bench, { name, childQueue: 'idle' })
      await bench.published(ids.child, 'added waiting')
      await bench.queueNamed('idle').remove(ids.child)
      return ids
    }
  },
  {
    name: 'a parent is removed with its children',
    queue: 'idle',
    // Its last child is removed first, which releases it.
    expected: {
      parent: 'added waiting waiting failed(Removed from the queue) = failed',
      child: 'added waiting failed(Removed from the queue) = failed'
    },
    run: async bench => {
      const ids = await addFlow(bench, { name: 'a parent is removed with its children' })
      for (const id of Object.values(ids)) await bench.published(id, 'added waiting')
      await bench.queue.remove(ids.parent)
      return ids
    }
  },
  {
    name: 'unprocessed children are removed',
    queue: 'idle',
    notInPython: 'it has no removeUnprocessedChildren',
    expected: {
      parent: 'added waiting waiting = waiting', child: 'added waiting failed(Removed from the queue) = failed'
    },
    run: async bench => {
      const ids = await addFlow(bench, { name: 'unprocessed children are removed' })
      for (const id of Object.values(ids)) await bench.published(id, 'added waiting')
      await (await bench.queue.getJob(ids.parent))?.removeUnprocessedChildren()
      return ids
    }
  }
]
