"""Submits a job: python3 submit.py NAME '{"some": "data"}' [QUEUE] prints its id."""
import json
import os
import sys
import time
import uuid
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ATTEMPTS = 4
TIMEOUT_S = 30
MAX_WAIT_S = 60


def submit(url, token, name, data, **options):
    """
    Returns `{"jobId", "name", "queue", "state"}`: the job will run. Sends it again where no response came; the key
    makes that harmless. Raises HTTPError for what is refused (its body says why), URLError where nothing answers.
    Options are those of POST /submit-job: queue, delay, priority, attempts, backoff, webhookUrl.
    """
    body = json.dumps({"name": name, "data": data, **options}).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    for attempt in range(ATTEMPTS):
        try:
            with urlopen(Request(f"{url}/submit-job", body, headers), timeout=TIMEOUT_S) as response:
                return json.load(response)
        except (HTTPError, URLError, TimeoutError, ConnectionError) as error:
            is_refused = isinstance(error, HTTPError) and error.code not in (429, 502, 503, 504)
            if is_refused or attempt == ATTEMPTS - 1:
                raise
            asked = error.headers.get("Retry-After", "") if isinstance(error, HTTPError) else ""
            time.sleep(min(MAX_WAIT_S, int(asked)) if asked.isdigit() else 2 ** attempt)


if __name__ == "__main__":
    name, data, *queue = sys.argv[1:]
    options = {"queue": queue[0]} if queue else {}
    try:
        job = submit(os.environ["TIDINGS_URL"], os.environ["TIDINGS_TOKEN"], name, json.loads(data), **options)
    except HTTPError as error:
        sys.exit(f"HTTP {error.code}: {error.read().decode()}")
    print(job["jobId"])
