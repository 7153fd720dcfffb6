// What an integrator does with the generated client: a town files a request, the prefecture matches and decides, an
// expert answers by the link in the mail, and everybody reads the same numbers. Every call is checked by the compiler
// against openapi/openapi.json, and runs here against the live demo.
//
// Environment (set by run.mjs): BASE_URL, and DEMO_OUTPUT, the file with what the demo has printed, accounts included.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Api = Client<paths>;

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};
const baseUrl = environment("BASE_URL");

/** What openapi-fetch returns, as far as the scenario looks at it. */
interface Outcome<Data, Problem> {
  data?: Data;
  error?: Problem;
  response: Response;
}

/** The body of a call that has to succeed; the problem document is the message otherwise. */
function expectOk<Data>(outcome: Outcome<Data, unknown>, status = 200): NonNullable<Data> {
  const { data, error, response } = outcome;
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error ?? data, null, 2)}`);
  if (data === undefined || data === null) throw new Error(`${response.url}: no body`);
  return data;
}

/** Like `expectOk`, for operations that can also answer with a file. */
function expectJson<Data>(outcome: Outcome<Data, unknown>): Exclude<NonNullable<Data>, string> {
  const data = expectOk(outcome);
  if (typeof data === "string") throw new Error(`${outcome.response.url}: a file`);
  return data as Exclude<NonNullable<Data>, string>;
}

/** Like `expectOk`, for a call that asks for a file. */
function expectFile(outcome: Outcome<unknown, unknown>): Uint8Array {
  const data = expectOk(outcome);
  assert.ok(data instanceof ArrayBuffer, `${outcome.response.url}: no file`);
  assert.match(header(outcome, "content-disposition"), /^attachment; /);
  return new Uint8Array(data);
}

/** The problem document of a call that has to fail. */
function expectProblem(outcome: Outcome<unknown, Schemas["Problem"]>, status: number, code: string): Schemas["Problem"] {
  const { error, response } = outcome;
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error ?? outcome.data)}`);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  if (error === undefined) throw new Error(`${response.url}: no problem document`);
  assert.equal(error.code, code);
  assert.equal(error.status, status);
  assert.equal(error.type, `/problems/${code.replaceAll("_", "-")}`);
  assert.equal(error.request_id, response.headers.get("x-request-id"));
  return error;
}

function header({ response }: { response: Response }, name: string): string {
  const value = response.headers.get(name);
  if (value === null) throw new Error(`${response.url}: no ${name} header`);
  return value;
}

function first<T>(list: readonly T[], what: string): T {
  const [one] = list;
  if (one === undefined) throw new Error(`no ${what}`);
  return one;
}

/** The accounts that the demo prints, one a line: `  <role>: <address>  <password>`. */
async function accounts(): Promise<Map<string, { email: string; password: string }>> {
  const printed = await readFile(environment("DEMO_OUTPUT"), "utf8");
  const found = new Map<string, { email: string; password: string }>();
  for (const [, role, email, password] of printed.matchAll(/^ {2}(\S.*?): (\S+@\S+) {2}(\S+)$/gm)) {
    if (role !== undefined && email !== undefined && password !== undefined) found.set(role, { email, password });
  }
  return found;
}

async function signIn(known: Map<string, { email: string; password: string }>, role: string): Promise<Api> {
  const account = known.get(role);
  if (account === undefined) throw new Error(`the demo printed no account for ${role}: ${[...known.keys()].join("、")}`);
  const token = expectOk(await createClient<paths>({ baseUrl }).POST("/api/v1/auth/token", { body: account }));
  assert.equal(token.token_type, "Bearer");
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token.access_token}` } });
}

/** The tagged union of fee tables: the compiler knows which members each kind has. */
function describeFee(fee: Schemas["FeeTable"]): string {
  switch (fee.kind) {
    case "none":
      return "謝金なし";
    case "undisclosed":
      return "非公表";
    case "timed":
      return `${fee.unit_minutes}分ごとに${fee.rate}円${fee.flat_from ? `、${fee.flat_from.from_minutes}分以上は${fee.flat_from.amount}円` : ""}`;
  }
}

/** The one-time tokens in the demo's mailbox, newest mail first. */
async function tokensInMailbox(): Promise<string[]> {
  const response = await fetch(`${baseUrl}/mailbox`);
  assert.equal(response.status, 200);
  return [...(await response.text()).matchAll(/\/offers\/answer\?token=([A-Za-z0-9_-]+)/g)].map(([, token]) => token ?? "");
}

/** The link of the mail about this theme. The mail is in the outbox as soon as the offer is; the page may lag behind. */
async function linkAbout(theme: string): Promise<string> {
  const anonymous = createClient<paths>({ baseUrl });
  for (let attempt = 0; attempt < 40; attempt += 1) {
    for (const token of new Set((await tokensInMailbox()).slice(0, 6))) {
      const { data } = await anonymous.GET("/api/v1/offer-links/{token}", { params: { path: { token } } });
      if (data?.offer?.theme === theme) return token;
    }
    await sleep(250);
  }
  throw new Error(`no mail about ${theme}`);
}

const known = await accounts();
const coordinator = await signIn(known, "都道府県コーディネーター");
const staff = await signIn(known, "浜松市 担当者");
const me = expectOk(await staff.GET("/api/v1/auth/me"));
assert.equal(me.role, "municipal_staff");

// The programme and the rules of the year.
const programme = first(expectOk(await staff.GET("/api/v1/programmes")).items, "programme");
const fiscalYear = 2026;
const rules = expectOk(
  await staff.GET("/api/v1/programmes/{id}/years/{fiscal_year}", {
    params: { path: { id: programme.id, fiscal_year: fiscalYear } },
  }),
).rules;
console.log(`${programme.name}（${fiscalYear}年度）: ${describeFee(rules.fee_table)}`);

// The town files a request. Repeating it with the same key has one effect.
const theme = "APIクライアントからの申請：電子申請の拡大";
const draft: Schemas["CreateRequestBody"] = {
  programme_id: programme.id,
  activity_kind: "visit",
  theme,
  background: "申請の多くが紙のまま残っている。",
  goal: "主要な手続を電子申請に移す。",
  mode: "onsite",
  period_from: "2026-08-24",
  period_to: "2026-09-30",
  visit_count: 2,
  minutes_per_visit: 120,
  place: "浜松市役所",
  audience: "関係課の職員",
  audience_count: 12,
  department: "デジタル推進課",
  contact_name: "浜松 太郎",
  wished_dates: [
    { day: "2026-09-08", start_minute: 600, end_minute: 720 },
    { day: "2026-09-15", start_minute: 600, end_minute: 720 },
  ],
};
const once = { params: { header: { "Idempotency-Key": `scenario-${process.pid}-${Date.now()}` } }, body: draft };
const created = await staff.POST("/api/v1/requests", once);
const request = expectOk(created, 201);
assert.equal(header(created, "location"), `/api/v1/requests/${request.id}`);
assert.equal(request.status, "draft");
const repeated = await staff.POST("/api/v1/requests", once);
assert.equal(expectOk(repeated, 201).id, request.id);
assert.equal(header(repeated, "idempotent-replayed"), "true");
const other = { ...once, body: { ...draft, theme: "別の内容" } };
expectProblem(await staff.POST("/api/v1/requests", other), 422, "idempotency_key_reused");

// What is wrong is said in a typed problem document, all of it at once.
const reversed = await staff.POST("/api/v1/requests", { body: { ...draft, period_from: "2026-09-30", period_to: "2026-09-01" } });
const wrong = expectProblem(reversed, 422, "validation_failed");
assert.ok(wrong.errors.some(({ pointer }) => pointer === "/period_to"), JSON.stringify(wrong.errors));
const unknownMember: Schemas["CreateRequestBody"] & { colour: string } = { ...draft, colour: "赤" };
const malformed = expectProblem(await staff.POST("/api/v1/requests", { body: unknownMember }), 400, "malformed_request");
assert.match(first(malformed.errors, "wrong member").detail, /colour/);
const english = await staff.GET("/api/v1/requests/{id}", {
  params: { path: { id: 9_007_199_254_740_991 } },
  headers: { "accept-language": "en" },
});
assert.equal(expectProblem(english, 404, "not_found").title, "Not found");

// It is submitted and accepted; an old version is refused, and so is what the state does not allow.
const path = { id: request.id };
const atVersion = (etag: string) => ({ params: { path, header: { "If-Match": etag } } });
const submitted = await staff.POST("/api/v1/requests/{id}/submit", { ...atVersion(header(created, "etag")), body: {} });
assert.equal(expectOk(submitted).status, "submitted");
const stale = await coordinator.POST("/api/v1/requests/{id}/accept", { ...atVersion(header(created, "etag")), body: {} });
expectProblem(stale, 412, "stale_version");
const accepted = await coordinator.POST("/api/v1/requests/{id}/accept", { ...atVersion(header(submitted, "etag")), body: {} });
assert.equal(expectOk(accepted).status, "accepted");
const again = await coordinator.POST("/api/v1/requests/{id}/accept", { ...atVersion(header(accepted, "etag")), body: {} });
const refused = expectProblem(again, 409, "invalid_transition");
assert.equal(refused.state, "accepted");
assert.ok(refused.allowed?.includes("decide"), JSON.stringify(refused.allowed));

// Candidates, best first, each part of the score explained; an offer to the first.
const candidates = expectOk(await coordinator.GET("/api/v1/requests/{id}/candidates", { params: { path, query: { limit: 5 } } }));
const best = first(candidates.items, "candidate");
assert.equal(best.rank, 1);
assert.equal(best.score, best.parts.reduce((sum, part) => sum + part.points, 0));
console.log(`候補${candidates.eligible_count}人、除外${candidates.excluded_count}人。第1位: ${best.name}`);
const offered = await coordinator.POST("/api/v1/requests/{id}/offers", {
  params: { path },
  body: {
    expert_id: best.expert_id,
    message: "ご検討をお願いします。",
    visits: [
      { day: "2026-09-08", start_minute: 600, minutes: 120, mode: "onsite", place: "浜松市役所" },
      { minutes: 120, mode: "onsite" },
    ],
  },
});
const offer = expectOk(offered, 201);
assert.equal(offer.status, "sent");

// The expert, without an account, follows the link of the mail. Looking at it changes nothing.
const anonymous = createClient<paths>({ baseUrl });
const token = await linkAbout(theme);
const shown = expectOk(await anonymous.GET("/api/v1/offer-links/{token}", { params: { path: { token } } }));
assert.equal(shown.status, "sent");
assert.equal(shown.offer?.expert_name, best.name);
const answered = expectOk(
  await anonymous.POST("/api/v1/offer-links/{token}/answer", { params: { path: { token } }, body: { answer: "accept" } }),
);
assert.equal(answered.status, "accepted");
expectProblem(await anonymous.GET("/api/v1/offers/{id}", { params: { path: { id: offer.id } } }), 401, "unauthenticated");

// Decided: a number, and the town sees the dispatch.
const reread = await coordinator.GET("/api/v1/requests/{id}", { params: { path } });
assert.equal(expectOk(reread).stage, "awaiting_decision");
const decided = await coordinator.POST("/api/v1/requests/{id}/decide", {
  ...atVersion(header(reread, "etag")),
  body: { offer_ids: [offer.id], document_number: "デ戦第999号" },
});
const dispatch = expectOk(decided, 201);
assert.match(dispatch.number ?? "", /^R8-\d{4}$/);
assert.equal(dispatch.visits.length, 2);
const seen = expectOk(await staff.GET("/api/v1/dispatches/{id}", { params: { path: { id: dispatch.id } } }));
assert.equal(seen.number, dispatch.number);
console.log(`派遣決定 ${dispatch.number}: ${dispatch.experts.map(({ name }) => name).join("、")}`);

// The numbers, as JSON and as files.
const years = { programme_id: programme.id, from_fiscal_year: fiscalYear - 4, to_fiscal_year: fiscalYear };
const table = expectJson(await coordinator.GET("/api/v1/statistics/dispatches", { params: { query: years } }));
assert.equal(table.years.length, 5);
for (const year of table.years) console.log(`${year.label}: ${year.organisations}団体 ${year.visits}回 ${year.experts}人`);
const csv = await coordinator.GET("/api/v1/statistics/dispatches", {
  params: { query: { ...years, format: "csv" } },
  parseAs: "arrayBuffer",
});
assert.deepEqual([...expectFile(csv).slice(0, 3)], [0xef, 0xbb, 0xbf], "CSV begins with the byte order mark");
const xlsx = await coordinator.GET("/api/v1/statistics/coverage", {
  params: { query: { ...years, format: "xlsx" } },
  parseAs: "arrayBuffer",
});
assert.equal(new TextDecoder().decode(expectFile(xlsx).slice(0, 2)), "PK", "a workbook is a ZIP archive");
const coverage = expectJson(await coordinator.GET("/api/v1/statistics/coverage", { params: { query: years } }));
assert.equal(coverage.all.members, coverage.organisations.length);
console.log(`${coverage.all.members}団体のうち一度も派遣のない団体: ${coverage.all.never_served}`);

// Lists are read page by page.
let cursor: string | undefined;
let pages = 0;
const ids = new Set<number>();
do {
  const query = cursor === undefined ? { limit: 10 } : { limit: 10, cursor };
  const outcome = await coordinator.GET("/api/v1/requests", { params: { query } });
  const page = expectJson(outcome);
  for (const { id } of page.items) {
    assert.ok(!ids.has(id), `request ${id} is on two pages`);
    ids.add(id);
  }
  assert.equal(outcome.response.headers.has("link"), page.next_cursor !== undefined);
  cursor = page.next_cursor;
  pages += 1;
} while (cursor !== undefined);
assert.ok(pages > 1 && ids.has(request.id), `${ids.size} requests on ${pages} pages`);
assert.ok(Number(header(reread, "x-ratelimit-remaining")) < Number(header(reread, "x-ratelimit-limit")));

console.log("client scenario: passed");
