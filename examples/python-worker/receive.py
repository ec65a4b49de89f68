"""A receiver of webhooks at http://127.0.0.1:PORT/ that verifies each delivery with WEBHOOK_SECRET and prints it once."""
import base64
import hmac
import json
import os
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

TOLERANCE_S = 300
MAX_BODY = 1024 * 1024
IDS_REMEMBERED = 10_000


def verify_webhook(body, headers, secret):
    """
    Returns the payload of a delivery, or raises ValueError: one that is not signed with this secret, or was signed more
    than five minutes ago. `body`: the bytes as they came; parsed and written again they would not match. `headers`:
    anything with `get`, as those of http.server, Flask, Django and Starlette.
    """
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        raise ValueError("webhook-timestamp is missing, or too far from now")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    # Two signatures while the secret is being replaced by another.
    signatures = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures):
        raise ValueError("no signature matches")
    return json.loads(body)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    handled = OrderedDict()
    lock = Lock()

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True  # its body is not read
            return self.answer(413)
        body = self.rfile.read(int(length))
        try:
            payload = verify_webhook(body, self.headers, os.environ["WEBHOOK_SECRET"])
        except ValueError as error:
            return self.answer(401, str(error))
        with self.lock:
            self.handle_once(self.headers["webhook-id"], payload)
        self.answer(204)

    def handle_once(self, event_id, payload):
        """A delivery comes again where its response was lost. Use your database for this in production."""
        if event_id in self.handled:
            return
        print(json.dumps({"eventId": event_id, **payload}), flush=True)
        self.handled[event_id] = True
        if len(self.handled) > IDS_REMEMBERED:
            self.handled.popitem(last=False)

    def answer(self, status, text=""):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Receiver).serve_forever()
