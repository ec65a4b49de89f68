"""
The transitions of docs/bullmq.md, performed with BullMQ for Python. Run by python.test.ts: it writes one JSON line for
each transition with the ids of its jobs, and asks with another to wait until a job has published something; the answer
is a line with the number of the question.
"""
import asyncio
import json
import sys
import time

from bullmq import DelayedError, FlowProducer, Queue, UnrecoverableError, WaitingChildrenError, Worker

URL = sys.argv[1]
LATER = 600_000
HOUR = 3_600_000
USER = {"userId": 1}

transitions = {}
queues = {}
processors = {}
workers = []
questions = {}


def transition(name, queue):
    def register(run):
        transitions[name] = (queue, run)
        return run
    return register


def queue_named(name):
    if name not in queues:
        queues[name] = Queue(name, {"connection": URL})
    return queues[name]


class Bench:
    """The tools of a transition."""

    def __init__(self, name, queue):
        self.name, self.queue, self.queue_name = name, queue_named(queue), queue

    async def add(self, **options):
        return (await self.queue.add(self.name, USER, options)).id

    async def job(self, job_id):
        return await self.queue.getJob(job_id)

    def process(self, processor, name=None):
        processors[name or self.name] = processor

    def work(self, processor, **options):
        worker = Worker(self.queue_name, processor, {"connection": URL, **options})
        workers.append(worker)
        return worker

    async def published(self, job_id, events):
        await ask({"ask": "published", "queue": self.queue_name, "jobId": job_id, "events": events})

    async def seen(self, job_id):
        await ask({"ask": "seen", "queue": self.queue_name, "jobId": job_id})


async def ask(question):
    number = len(questions)
    questions[number] = asyncio.get_running_loop().create_future()
    say({**question, "number": number})
    await questions[number]


def say(line):
    print(json.dumps(line), flush=True)


async def done(job, token):
    return "done"


async def fail(job, token):
    raise Exception("no luck")


def first(act):
    """Runs a function at a job's first attempt; completes it at the next."""
    seen = set()

    async def process(job, token):
        if job.id in seen:
            return "done"
        seen.add(job.id)
        return await act(job, token)
    return process


# Adding

@transition("add", "idle")
async def _(bench):
    return {"job": await bench.add()}


@transition("add, delayed", "idle")
async def _(bench):
    return {"job": await bench.add(delay=LATER)}


@transition("add, prioritized", "idle")
async def _(bench):
    return {"job": await bench.add(priority=5)}


@transition("add in bulk", "idle")
async def _(bench):
    jobs = await bench.queue.addBulk([{"name": "bulk", "data": USER}, {"name": "bulk", "data": USER, "opts": {"delay": LATER}}])
    return {"first": jobs[0].id, "second": jobs[1].id}


async def add_flow(bench, name, child=None, parent=None, child_queue=None):
    flow = await FlowProducer({"connection": URL}).add({
        "name": name, "queueName": bench.queue_name, "data": USER, "opts": parent or {},
        "children": [{"name": f"{name}, child", "queueName": child_queue or bench.queue_name, "data": USER, "opts": child or {}}]
    })
    return {"parent": flow["job"].id, "child": flow["children"][0]["job"].id}


@transition("add a flow", "idle")
async def _(bench):
    return await add_flow(bench, "flow")


@transition("add under the id of a job that is there", "idle")
async def _(bench):
    await bench.add(jobId="the-same")
    return {"job": await bench.add(jobId="the-same")}


@transition("add again under the id of a job that ended and was removed", "busy")
async def _(bench):
    async def process(job, token):
        await bench.seen(job.id)
    bench.process(process)
    await bench.add(jobId="again", removeOnComplete=True)
    await bench.published("again", "added waiting active completed")
    return {"job": await bench.add(jobId="again")}


@transition("deduplicate, simple", "idle")
async def _(bench):
    job = await bench.add(deduplication={"id": "simple"})
    await bench.add(deduplication={"id": "simple"})
    return {"job": job}


@transition("deduplicate, throttle", "idle")
async def _(bench):
    job = await bench.add(deduplication={"id": "throttle", "ttl": LATER})
    await bench.add(deduplication={"id": "throttle", "ttl": LATER, "extend": True})
    return {"job": job}


@transition("deduplicate, replace (debounce)", "idle")
async def _(bench):
    deduplication = {"id": "debounce", "ttl": LATER, "extend": True, "replace": True}
    one = await bench.add(delay=LATER, deduplication=deduplication)
    await bench.published(one, "added delayed")
    return {"first": one, "second": await bench.add(delay=LATER, deduplication=deduplication)}


@transition("deduplicate, keepLastIfActive", "busy")
async def _(bench):
    deduplication = {"id": "keep-last", "keepLastIfActive": True}
    more = asyncio.Event()

    async def process(job, token):
        await more.wait()
    bench.process(process)
    one = await bench.add(jobId="keep-first", deduplication=deduplication)
    await bench.published(one, "added waiting active")
    await bench.add(jobId="keep-middle", deduplication=deduplication)
    await bench.add(jobId="keep-last", deduplication=deduplication)
    more.set()
    return {"first": one, "last": "keep-last"}


# Job schedulers

def later():
    return int(time.time() * 1000) + HOUR


async def upsert(bench, scheduler, schedule, name=None):
    return (await bench.queue.upsertJobScheduler(scheduler, schedule, name, USER)).id


@transition("upsert a job scheduler", "idle")
async def _(bench):
    return {"job": await upsert(bench, "once", {"every": HOUR, "startDate": later()})}


@transition("upsert a job scheduler again", "idle")
async def _(bench):
    schedule = {"every": HOUR, "startDate": later()}
    await bench.published(await upsert(bench, "twice", schedule), "added delayed")
    return {"job": await upsert(bench, "twice", schedule)}


@transition("upsert a job scheduler with another schedule", "idle")
async def _(bench):
    one = await upsert(bench, "other", {"every": HOUR, "startDate": later()})
    await bench.published(one, "added delayed")
    return {"first": one, "second": await upsert(bench, "other", {"pattern": "0 0 1 1 *"})}


@transition("a scheduler's next iteration", "busy")
async def _(bench):
    bench.process(done, "iterate")
    one = await upsert(bench, "iterate", {"every": HOUR}, "iterate")
    await bench.published(one, "added waiting active completed")
    scheduler = await bench.queue.getJobScheduler("iterate")
    return {"first": one, "second": f"repeat:iterate:{scheduler['next']}"}


@transition("remove a job scheduler", "idle")
async def _(bench):
    job = await upsert(bench, "removed", {"every": HOUR, "startDate": later()})
    await bench.published(job, "added delayed")
    await bench.queue.removeJobScheduler("removed")
    return {"job": job}


@transition("remove a job scheduler and upsert it again", "idle")
async def _(bench):
    one = await upsert(bench, "re-created", {"every": HOUR, "startDate": later()})
    await bench.published(one, "added delayed")
    await bench.queue.removeJobScheduler("re-created")
    return {"first": one, "second": await upsert(bench, "re-created", {"every": HOUR, "startDate": later() + HOUR})}


# Processing

@transition("complete", "busy")
async def _(bench):
    bench.process(done)
    return {"job": await bench.add()}


@transition("complete and be removed at once", "busy")
async def _(bench):
    async def process(job, token):
        await bench.seen(job.id)
    bench.process(process)
    return {"job": await bench.add(removeOnComplete=True)}


@transition("be removed by the number of those that ended later", "trimmed")
async def _(bench):
    bench.work(done, removeOnComplete={"count": 1})
    one = await bench.add()
    await bench.published(one, "added waiting active completed")
    return {"first": one, "second": await bench.add()}


@transition("fail", "busy")
async def _(bench):
    bench.process(fail)
    return {"job": await bench.add()}


@transition("fail and be removed at once", "busy")
async def _(bench):
    async def process(job, token):
        await bench.seen(job.id)
        raise Exception("no luck")
    bench.process(process)
    return {"job": await bench.add(removeOnFail=True)}


@transition("fail for good while attempts are left", "busy")
async def _(bench):
    async def process(job, token):
        raise UnrecoverableError("no way")
    bench.process(process)
    return {"job": await bench.add(attempts=3)}


@transition("be tried again at once", "busy")
async def _(bench):
    bench.process(first(fail))
    return {"job": await bench.add(attempts=2)}


@transition("be tried again after a while", "busy")
async def _(bench):
    bench.process(first(fail))
    return {"job": await bench.add(attempts=2, backoff=50)}


@transition("be delayed by its worker (a step)", "busy")
async def _(bench):
    async def delay(job, token):
        await job.moveToDelayed(int(time.time() * 1000) + 50, token)
        raise DelayedError()
    bench.process(first(delay))
    return {"job": await bench.add()}


@transition("wait for children that its worker added", "busy")
async def _(bench):
    async def wait(job, token):
        parent = {"id": job.id, "queue": bench.queue.qualifiedName}
        await bench.queue.add("step-child", USER, {"jobId": "step-child", "delay": 500, "parent": parent})
        if await job.moveToWaitingChildren(token, {}):
            raise WaitingChildrenError()
        return "done"
    bench.process(done, "step-child")
    bench.process(first(wait))
    parent = await bench.add()
    await bench.published(parent, "added waiting active waiting waiting active completed")
    return {"parent": parent, "child": "step-child"}


async def stall(bench, **options):
    async def never(job, token):
        await asyncio.Event().wait()
    bench.work(never, lockDuration=200, lockRenewTime=600_000, stalledInterval=600_000, maxStalledCount=0)
    job = await bench.add()
    await bench.published(job, "added waiting active")
    await bench.queue.client.delete(bench.queue.toKey("stalled-check"))
    bench.work(done, stalledInterval=300, **options)
    return {"job": job}


@transition("stall, and be taken by another worker", "stalled")
async def _(bench):
    return await stall(bench)


@transition("stall too often", "stalled-often")
async def _(bench):
    return await stall(bench, maxStalledCount=0)


@transition("report progress", "busy")
async def _(bench):
    async def process(job, token):
        for progress in [1, {"step": 2}, "half", None]:
            await job.updateProgress(progress)
    bench.process(process)
    return {"job": await bench.add()}


@transition("report progress after the end", "busy")
async def _(bench):
    bench.process(done)
    job = await bench.add()
    await bench.published(job, "added waiting active completed")
    await (await bench.job(job)).updateProgress(99)
    return {"job": job}


@transition("write a log, and change the data", "idle")
async def _(bench):
    job = await bench.add()
    await (await bench.job(job)).log("a line")
    await (await bench.job(job)).updateData({"userId": 2})
    return {"job": job}


# Flows

@transition("a child completes", "busy")
async def _(bench):
    bench.process(done)
    bench.process(done, f"{bench.name}, child")
    return await add_flow(bench, bench.name)


@transition("a child completes, its parent is delayed then", "busy")
async def _(bench):
    bench.process(done)
    bench.process(done, f"{bench.name}, child")
    return await add_flow(bench, bench.name, parent={"delay": 100})


def failing(name, option):
    @transition(name, "busy")
    async def _(bench):
        bench.process(done)
        bench.process(fail, f"{name}, child")
        return await add_flow(bench, name, child=option)


for option in ["failParentOnFailure", "ignoreDependencyOnFailure", "continueParentOnFailure", "removeDependencyOnFailure"]:
    failing(f"a child fails, {option}", {option: True})
failing("a child fails, none of these", {})


@transition("a child is removed", "busy")
async def _(bench):
    bench.process(done)
    ids = await add_flow(bench, bench.name, child_queue="idle")
    await bench.published(ids["child"], "added waiting")
    await queue_named("idle").remove(ids["child"])
    return ids


@transition("a parent is removed with its children", "idle")
async def _(bench):
    ids = await add_flow(bench, bench.name)
    for job in ids.values():
        await bench.published(job, "added waiting")
    await bench.queue.remove(ids["parent"])
    return ids


# Changing

@transition("promote", "idle")
async def _(bench):
    job = await bench.add(delay=LATER)
    await (await bench.job(job)).promote()
    return {"job": job}


@transition("promote all", "promoted")
async def _(bench):
    job = await bench.add(delay=LATER)
    await bench.queue.promoteJobs()
    return {"job": job}


@transition("become due", "busy")
async def _(bench):
    bench.process(done)
    return {"job": await bench.add(delay=100)}


@transition("change the priority", "idle")
async def _(bench):
    job = await bench.add()
    await (await bench.job(job)).changePriority({"priority": 3})
    return {"job": job}


@transition("retry a failed job", "busy")
async def _(bench):
    bench.process(fail)
    job = await bench.add()
    await bench.published(job, "added waiting active failed(no luck)")
    bench.process(done)
    await (await bench.job(job)).retry()
    return {"job": job}


@transition("retry a completed job", "busy")
async def _(bench):
    bench.process(done)
    job = await bench.add()
    await bench.published(job, "added waiting active completed")
    await (await bench.job(job)).retry("completed")
    return {"job": job}


@transition("retry all failed jobs", "retried")
async def _(bench):
    bench.work(first(fail))
    job = await bench.add()
    await bench.published(job, "added waiting active failed(no luck)")
    await bench.queue.retryJobs({"state": "failed"})
    return {"job": job}


@transition("pause and resume", "paused")
async def _(bench):
    await bench.queue.pause()
    bench.work(done)
    job = await bench.add()
    await bench.queue.resume()
    return {"job": job}


# Removing

@transition("remove", "idle")
async def _(bench):
    job = await bench.add()
    await bench.published(job, "added waiting")
    await bench.queue.remove(job)
    return {"job": job}


@transition("remove a finished job", "busy")
async def _(bench):
    bench.process(done)
    job = await bench.add()
    await bench.published(job, "added waiting active completed")
    await bench.queue.remove(job)
    return {"job": job}


@transition("remove and add again", "idle")
async def _(bench):
    job = await bench.add(delay=LATER, jobId="by-hand")
    await bench.published(job, "added delayed")
    await bench.queue.remove(job)
    return {"job": await bench.add(delay=LATER, jobId="by-hand")}


@transition("clean waiting jobs", "cleaned")
async def _(bench):
    job = await bench.add()
    await bench.published(job, "added waiting")
    await bench.queue.clean(0, 100, "wait")
    return {"job": job}


@transition("clean finished jobs", "cleaned-ended")
async def _(bench):
    bench.work(done)
    job = await bench.add()
    await bench.published(job, "added waiting active completed")
    await bench.queue.clean(0, 100, "completed")
    return {"job": job}


@transition("drain", "drained")
async def _(bench):
    waiting, delayed = await bench.add(), await bench.add(delay=LATER)
    await bench.published(waiting, "added waiting")
    await bench.published(delayed, "added delayed")
    await bench.queue.drain(True)
    return {"waiting": waiting, "delayed": delayed}


@transition("obliterate", "obliterated")
async def _(bench):
    job = await bench.add(jobId="obliterated")
    await bench.published(job, "added waiting")
    await bench.queue.obliterate(force=True)
    return {"job": job}


@transition("lose a job's hash (an eviction, removeOrphanedJobs)", "evicted")
async def _(bench):
    job = await bench.add(delay=LATER)
    await bench.published(job, "added delayed")
    await bench.queue.client.delete(bench.queue.toKey(job))
    return {"job": job}


async def perform(name, queue, run):
    try:
        say({"name": name, "ids": await run(Bench(name, queue))})
    except Exception as error:
        say({"name": name, "error": repr(error)})


async def process_any(job, token):
    return await processors[job.name](job, token)


async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    workers.append(Worker("busy", process_any, {"connection": URL, "concurrency": 50}))
    say({"names": list(transitions)})
    running = [asyncio.create_task(perform(name, queue, run)) for name, (queue, run) in transitions.items()]
    while line := await reader.readline():
        questions[int(line)].set_result(None)
    # The test has ended: running workers end with the process.
    for task in running:
        task.cancel()


asyncio.run(main())
