// Verifies captured deliveries (standard input, see capture.rs) with the JavaScript reference library of the
// Standard Webhooks specification, and makes sure that it refuses what was changed.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// Where tests/run.sh installed the tools: their node_modules are not above this file.
const home = `${process.env.TEST_TARGET_DIR}/node`;
const { Webhook } = createRequire(`${home}/package.json`)("standardwebhooks");

let passed = 0;
const failures = [];
const expect = (what, right) => (right ? (passed += 1) : failures.push(what));

const accepts = (secret, { body, headers }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error.name !== "WebhookVerificationError") throw error;
    return false;
  }
};

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean).map(JSON.parse);
for (const { name, headers, body, good, bad } of lines) {
  const signatures = headers["webhook-signature"].split(" ");
  expect(`${name}: one signature for each live secret`, signatures.length === good.length);
  for (const secret of good) {
    expect(`${name}: accepted`, accepts(secret, { headers, body }));
    const changed = (header, value) => ({ body, headers: { ...headers, [header]: value } });
    expect(`${name}: another body`, !accepts(secret, { headers, body: `${body} ` }));
    expect(`${name}: another id`, !accepts(secret, changed("webhook-id", "msg_other")));
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    expect(`${name}: another time`, !accepts(secret, changed("webhook-timestamp", later)));
    expect(`${name}: no signature`, !accepts(secret, changed("webhook-signature", "v1,")));
  }
  for (const secret of bad) expect(`${name}: another secret`, !accepts(secret, { headers, body }));
}
expect("something was delivered", lines.length > 0);

for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`standardwebhooks (JavaScript): ${lines.length} deliveries`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
