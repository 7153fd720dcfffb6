// What an integrator does with the generated client: a prefecture founds a pool and registers experts, a town files a
// request, the prefecture matches and decides, an expert answers by the link in the mail, last year's ledger is taken over,
// and everybody reads the same numbers. `after.ts` goes on when the visits are over. Every call is checked by the compiler
// against openapi/openapi.json, and runs here against the live demo.
//
// Environment (set by run.mjs): BASE_URL; DEMO_OUTPUT, the file with what the demo has printed, accounts included; STATE, the
// file in which this part leaves what the other one needs.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import {
  accounts, base64, baseUrl, describeFee, environment, expectFile, expectJson, expectOk, expectProblem, first, header, linkAbout,
  signIn, type Schemas,
} from "./support.js";

const known = await accounts();
const coordinator = await signIn(known, "都道府県コーディネーター");
const staff = await signIn(known, "浜松市 担当者");
const me = expectOk(await staff.GET("/api/v1/auth/me"));
assert.equal(me.role, "municipal_staff");

// A pool with its members, a programme with the published rules, and experts.
const fiscalYear = 2026;
const pool = expectOk(await coordinator.POST("/api/v1/pools", { body: { name: "APIの人材プール", expert_title: "専門家" } }), 201);
expectOk(
  await coordinator.POST("/api/v1/pools/{id}/members", {
    params: { path: { id: pool.id } },
    body: { organisation_ids: [me.organisation_id], valid_from: "2026-04-01" },
  }),
);
const preset = expectOk(await coordinator.GET("/api/v1/programmes/presets")).items.find(({ code }) => code === "shizuoka_ict_expert");
if (preset === undefined) throw new Error("no preset");
const founded = expectOk(
  await coordinator.POST("/api/v1/programmes", { body: { pool_id: pool.id, name: "APIの派遣事業" } }),
  201,
);
for (const year of [fiscalYear - 1, fiscalYear]) {
  expectOk(
    await coordinator.POST("/api/v1/programmes/{id}/years", {
      params: { path: { id: founded.id } },
      body: { fiscal_year: year, rules: preset.rules },
    }),
    201,
  );
}
const expertBody = (name: string, kana: string, email: string): Schemas["CreateExpertBody"] => ({
  pool_id: pool.id,
  name,
  kana,
  email,
  affiliation_kind: "individual",
  onsite: true,
  online: true,
  appointed_from: "2026-04-01",
});
for (const body of [expertBody("接続 一郎", "セツゾク イチロウ", "api1@example.jp"), expertBody("接続 花子", "セツゾク ハナコ", "api2@example.jp")]) {
  assert.equal(expectOk(await coordinator.POST("/api/v1/experts", { body }), 201).pool_id, pool.id);
}
const programme = first(
  expectJson(await staff.GET("/api/v1/programmes", { params: { query: { pool_id: pool.id } } })).items,
  "programme",
);
assert.equal(programme.id, founded.id, "the town sees the programme of its pool");

// Last year's ledger: looked at, then taken over whole.
const ledger = "年度,日付,団体コード,専門家氏名,時間（分）,形態,状態\r\nR7,2025-06-10,221309,接続 一郎,240,現地,実施\r\n";
const upload = await coordinator.POST("/api/v1/imports", {
  body: { kind: "dispatch_ledger", programme_id: programme.id, file_name: "台帳.csv", content_base64: base64(ledger) },
});
assert.equal(expectOk(upload, 201).error_count, 0);
expectOk(
  await coordinator.POST("/api/v1/imports/{id}/apply", {
    params: { path: { id: expectOk(upload, 201).id }, header: { "If-Match": header(upload, "etag") } },
  }),
);

// The rules of the year, as the town reads them.
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

// The second visit gets its day.
const undated = dispatch.visits.find(({ to_be_arranged }) => to_be_arranged);
if (undated === undefined) throw new Error("no visit to arrange");
const found = await coordinator.GET("/api/v1/visits/{id}", { params: { path: { id: undated.id } } });
const arranged = await staff.POST("/api/v1/visits/{id}/arrange", {
  params: { path: { id: undated.id }, header: { "If-Match": header(found, "etag") } },
  body: { day: "2026-09-15", start_minute: 600 },
});
assert.equal(expectOk(arranged).to_be_arranged, false);

// The numbers of the demo's own programme, as JSON and as files.
const shownProgramme = expectJson(await coordinator.GET("/api/v1/programmes")).items.find(({ id }) => id !== programme.id);
if (shownProgramme === undefined) throw new Error("no programme of the demo");
const years = { programme_id: shownProgramme.id, from_fiscal_year: fiscalYear - 4, to_fiscal_year: fiscalYear };
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

await writeFile(environment("STATE"), JSON.stringify({ programme: programme.id, dispatch: dispatch.id }));
console.log("client scenario, before the visits: passed");
