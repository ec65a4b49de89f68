"""
A BullMQ worker for jobs named `countPrimes`: counts the primes below `data["below"]`, reports its progress in percent,
and returns their number and the largest. Nothing here depends on Tidings.
"""
import asyncio
import os
import signal
from math import isqrt

from bullmq import UnrecoverableError, Worker

MAX_BELOW = 10_000_000
STEPS = 100


def primes_in(first, last):
    """The primes from `first` up to, not including, `last`."""
    return [n for n in range(max(2, first), last) if all(n % divisor for divisor in range(2, isqrt(n) + 1))]


async def process(job, token):
    if job.name != "countPrimes":
        raise UnrecoverableError(f"No worker of this queue knows jobs named {job.name}")
    below = job.data.get("below")
    if not isinstance(below, int) or not 2 <= below <= MAX_BELOW:
        # Another attempt would fail as well. The user reads the message as `failedReason`.
        raise UnrecoverableError(f"data.below has to be an integer from 2 to {MAX_BELOW}")

    found, largest, reported = 0, None, 0
    for step in range(STEPS):
        # In a thread, so that the worker can renew the lock of the job meanwhile.
        primes = await asyncio.to_thread(primes_in, below * step // STEPS, below * (step + 1) // STEPS)
        found += len(primes)
        largest = primes[-1] if primes else largest
        percent = (step + 1) * 100 // STEPS
        if percent > reported:  # each call is an event that the user gets
            await job.updateProgress(percent)
            reported = percent
    return {"primes": found, "largest": largest}


async def main():
    queue = os.environ.get("JOB_QUEUE", "default")
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    connection = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    worker = Worker(queue, process, {"connection": connection, "concurrency": 4})
    print(f"processing jobs of {queue}", flush=True)
    await stopping.wait()
    await worker.close()  # waits for the active jobs


asyncio.run(main())
