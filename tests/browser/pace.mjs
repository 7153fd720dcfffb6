// How long pages take against their API twins, in turns in one run: p50 and p95 of each, and the ratio of the p95. Bounded:
// ROUNDS requests of each, one after the other, on loopback.
//
//   node tests/browser/pace.mjs [rounds]        the demo world, started and stopped here
//   BASE_URL=… node tests/browser/pace.mjs      a service that runs already (its demo accounts); what it has no such object of
//                                               is left out. A large data set: cargo bench --bench load -- --keep FILE,
//                                               whose request with candidates is REQUEST=20001

import { request } from "node:http";
import { startDemo } from "./lib.mjs";
import { PASSWORD, people } from "./roles.mjs";

const rounds = Number(process.argv[2] ?? 200);
const PAGES = [
  ["/requests", "/requests?limit=50&total=true"],
  [`/requests/${process.env.REQUEST ?? 1}`, `/requests/${process.env.REQUEST ?? 1}`],
  ["/offers", "/offers?limit=50"],
  ["/dispatches", "/dispatches?limit=50&total=true"],
  ["/visits", "/visits?limit=50"],
  ["/experts", "/experts?limit=50&total=true"],
  ["/experts/1", "/experts/1"],
  ["/programmes", "/programmes?limit=50"],
  ["/settlements", "/settlements?limit=50"],
  ["/", "/today"],
];

const ask = (url, headers) =>
  new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint();
    request(url, { headers, agent: undefined }, (response) => {
      response.on("data", () => {}).on("end", () => resolve({ status: response.statusCode, ms: Number(process.hrtime.bigint() - begun) / 1e6 }));
    }).on("error", reject).end();
  });
const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];

const demo = process.env.BASE_URL ? { baseUrl: process.env.BASE_URL, stop: async () => {} } : await startDemo();
try {
  const { baseUrl } = demo;
  const signIn = await fetch(`${baseUrl}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: baseUrl },
    body: new URLSearchParams({ email: people.coordinator, password: PASSWORD }),
  });
  const cookie = signIn.headers.get("set-cookie").split(";")[0];
  const token = (await (await fetch(`${baseUrl}/api/v1/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: people.coordinator, password: PASSWORD }),
  })).json()).access_token;
  const page = { cookie, accept: "text/html" };
  const api = { authorization: `Bearer ${token}` };
  console.log("page".padEnd(16), "p50 ms".padStart(8), "p95 ms".padStart(8), "  twin p50".padStart(10), "p95".padStart(8), "ratio of p95".padStart(14));
  for (const [place, twin] of PAGES) {
    const [ours, theirs] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      const one = await ask(baseUrl + place, page);
      const other = await ask(`${baseUrl}/api/v1${twin}`, api);
      if (one.status === 404 && other.status === 404) break;
      if (one.status !== 200 || other.status !== 200) throw new Error(`${place} ${one.status}, ${twin} ${other.status}`);
      // The first requests read what is read once.
      if (round >= 10) {
        ours.push(one.ms);
        theirs.push(other.ms);
      }
    }
    if (ours.length === 0) {
      console.log(place.padEnd(16), "not there");
      continue;
    }
    const ratio = at(ours, 0.95) / at(theirs, 0.95);
    console.log(place.padEnd(16), at(ours, 0.5).toFixed(1).padStart(8), at(ours, 0.95).toFixed(1).padStart(8), at(theirs, 0.5).toFixed(1).padStart(10), at(theirs, 0.95).toFixed(1).padStart(8), ratio.toFixed(2).padStart(14));
  }
} finally {
  await demo.stop();
}
