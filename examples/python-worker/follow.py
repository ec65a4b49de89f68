"""
Prints events as they happen, a line of JSON for each: python3 follow.py [EVENT_ID] continues after the event with this
id. It reconnects by itself.
"""
import json
import os
import sys
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# The server sends a comment every 15 seconds; a connection that is silent for longer is dead.
SILENCE_S = 40
RETRY_S = 1
MAX_RETRY_S = 30
TRANSIENT = (429, 500, 502, 503, 504)


def follow(url, get_token, since=None):
    """
    Yields the events of a user, each once and in order, forever: dicts with `eventId`, `type` ("state", "progress",
    "completed" or "failed"), `jobId`, `name`, and `state`, `progress`, `result` or `error`. Keep the `eventId` of the
    last one that you have handled, and pass it as `since` to continue there after a restart.

    `{"type": "gap"}` comes where events may be missing: the server keeps the last 1,000 of a user, for 24 hours. Read
    the state of your jobs then. Calls `get_token()` for each connection. Raises HTTPError for 401, 403 and 404.
    """
    failures = 0
    while True:
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {get_token()}"}
        if since:
            headers["Last-Event-ID"] = since
        try:
            with urlopen(Request(f"{url}/events", headers=headers), timeout=SILENCE_S) as stream:
                for event, data in blocks(stream):
                    if event == "session":
                        failures = 0
                        if since and not data["recovered"]:
                            yield {"type": "gap", "from": since, "to": data["lastEventId"]}
                        if not since or not data["recovered"]:
                            since = data["lastEventId"]
                    elif event.startswith("job:"):
                        yield {"type": event.removeprefix("job:"), **data}
                        since = data["eventId"]
        except HTTPError as error:
            if error.code not in TRANSIENT:
                raise
        except (OSError, HTTPException):
            pass  # no connection, or a broken one
        time.sleep(min(MAX_RETRY_S, RETRY_S * 2 ** failures))
        failures += 1


def blocks(stream):
    """Yields (event, data) of each block of an event stream."""
    event, data = "", []
    for line in stream:
        field, _, value = line.decode().rstrip("\r\n").partition(":")
        if field == "event":
            event = value.strip()
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif field == "" and value == "":
            if data:
                yield event, json.loads("\n".join(data))
            event, data = "", []


if __name__ == "__main__":
    try:
        token = os.environ["TIDINGS_TOKEN"]
        for item in follow(os.environ["TIDINGS_URL"], lambda: token, *sys.argv[1:2]):
            print(json.dumps(item), flush=True)
    except HTTPError as error:
        sys.exit(f"HTTP {error.code}: {error.read().decode()}")
    except KeyboardInterrupt:
        pass
