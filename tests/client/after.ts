// The second part of the scenario, on the day after the visits: what happened is recorded, the town reports, the office sends
// the report back once and approves it, the cost is shared, and the statistics count it all. Environment: see scenario.ts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { accounts, environment, expectJson, expectOk, header, signIn } from "./support.js";

const { programme, dispatch } = JSON.parse(await readFile(environment("STATE"), "utf8")) as { programme: number; dispatch: number };
const known = await accounts();
const coordinator = await signIn(known, "都道府県コーディネーター");
const staff = await signIn(known, "浜松市 担当者");
const path = { id: dispatch };

const counts = async (): Promise<string[]> => {
  const query = { programme_id: programme, from_fiscal_year: 2025, to_fiscal_year: 2026 };
  const table = expectJson(await staff.GET("/api/v1/statistics/dispatches", { params: { query } }));
  return table.years.map(({ label, organisations, visits, experts }) => `${label}: ${organisations}団体 ${visits}回 ${experts}人`);
};
assert.deepEqual(await counts(), ["R7: 1団体 1回 1人", "R8: 0団体 0回 0人"], "planned visits do not count as held");

const visits = expectJson(await staff.GET("/api/v1/visits", { params: { query: { dispatch_id: dispatch } } })).items;
assert.equal(visits.length, 2);
for (const { id } of visits) {
  const visit = await staff.GET("/api/v1/visits/{id}", { params: { path: { id } } });
  const recorded = await staff.POST("/api/v1/visits/{id}/record", {
    params: { path: { id }, header: { "If-Match": header(visit, "etag") } },
    body: { actual_minutes: 120, attendees: 12 },
  });
  assert.equal(expectOk(recorded).status, "done");
}

// The report is written, handed in, sent back once, corrected and approved.
const read = () => staff.GET("/api/v1/dispatches/{id}/report", { params: { path } });
const write = async (content: string) => {
  const report = await read();
  return expectOk(
    await staff.PUT("/api/v1/dispatches/{id}/report", {
      params: { path, header: { "If-Match": header(report, "etag") } },
      body: { content, result: "主要な手続を電子化する計画ができた。", next_step: "来年度の予算に反映する。" },
    }),
  );
};
const report = { id: (await write("現状を調べた。")).id };
const submit = async () =>
  expectOk(
    await staff.POST("/api/v1/reports/{id}/submit", {
      params: { path: report, header: { "If-Match": header(await read(), "etag") } },
      body: {},
    }),
  );
assert.equal((await submit()).status, "submitted");
const returned = await coordinator.POST("/api/v1/reports/{id}/return", {
  params: { path: report, header: { "If-Match": header(await read(), "etag") } },
  body: { reason: "2回目の内容も書いてください。" },
});
assert.equal(expectOk(returned).status, "returned");
await write("現状を調べ、2回目に優先する手続を選んだ。");
assert.equal((await submit()).status, "submitted");
const approved = await coordinator.POST("/api/v1/reports/{id}/approve", {
  params: { path: report, header: { "If-Match": header(await read(), "etag") } },
  body: {},
});
assert.equal(expectOk(approved).status, "approved");

// Two visits of two hours at 5,000 yen an hour.
const costs = expectOk(await coordinator.GET("/api/v1/dispatches/{id}/costs", { params: { path } }));
assert.equal(costs.totals.amount_yen, 20_000);
assert.deepEqual(await counts(), ["R7: 1団体 1回 1人", "R8: 1団体 2回 1人"]);
const finished = expectOk(await staff.GET("/api/v1/dispatches/{id}", { params: { path } }));
assert.equal(finished.report?.status, "approved");
console.log(`報告承認、謝金${costs.totals.amount_yen}円、${(await counts()).join("、")}`);
console.log("client scenario, after the visits: passed");
