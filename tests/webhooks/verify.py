"""Verifies captured deliveries (standard input, see capture.rs) with the Python reference library of the
Standard Webhooks specification, and makes sure that it refuses what was changed."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

passed, failures = 0, []


def expect(what: str, right: bool) -> None:
    global passed
    if right:
        passed += 1
    else:
        failures.append(what)


def accepts(secret: str, body: str, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body.encode(), headers)
        return True
    except WebhookVerificationError:
        return False


deliveries = [json.loads(line) for line in sys.stdin if line.strip()]
for delivery in deliveries:
    name, headers, body = delivery["name"], delivery["headers"], delivery["body"]
    expect(f"{name}: one signature for each live secret", len(headers["webhook-signature"].split(" ")) == len(delivery["good"]))
    for secret in delivery["good"]:
        expect(f"{name}: accepted", accepts(secret, body, headers))
        expect(f"{name}: another body", not accepts(secret, body + " ", headers))
        expect(f"{name}: another id", not accepts(secret, body, {**headers, "webhook-id": "msg_other"}))
        later = str(int(headers["webhook-timestamp"]) + 1)
        expect(f"{name}: another time", not accepts(secret, body, {**headers, "webhook-timestamp": later}))
    for secret in delivery["bad"]:
        expect(f"{name}: another secret", not accepts(secret, body, headers))
expect("something was delivered", bool(deliveries))

for failure in failures:
    print(f"FAILED {failure}", file=sys.stderr)
print(f"standardwebhooks (Python): {len(deliveries)} deliveries")
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
