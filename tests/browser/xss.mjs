// What people typed is text everywhere: a polyglot is written into every text that the API takes, then every page that can be
// reached is opened in a browser, in every role, and nothing of it may run or become an element.

import assert from "node:assert/strict";
import { PASSWORD, people, signedIn } from "./roles.mjs";

const POLYGLOT = `x"'><img src=x onerror=globalThis.__xss=1><script>globalThis.__xss=1</script></title></textarea><svg/onload=globalThis.__xss=1>{{7*7}}`;
/** Pages opened in each role. */
const MOST = 90;

async function api(baseUrl, token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "accept-language": "en" };
  if (method !== "GET" && /\/\d+$/.test(path)) headers["if-match"] = (await fetch(`${baseUrl}/api/v1${path}`, { headers })).headers.get("etag");
  const response = await fetch(`${baseUrl}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

async function signInApi(baseUrl, email) {
  const response = await fetch(`${baseUrl}/api/v1/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  return (await response.json()).access_token;
}

async function plant(baseUrl, today) {
  const office = await signInApi(baseUrl, people.coordinator);
  const staff = await signInApi(baseUrl, people.staff);
  const me = await api(baseUrl, staff, "GET", "/auth/me");
  const short = POLYGLOT.slice(0, 190);
  const day = new Date(Date.parse(today) + 30 * 86_400_000).toISOString().slice(0, 10);
  const later = new Date(Date.parse(today) + 60 * 86_400_000).toISOString().slice(0, 10);
  const pool = await api(baseUrl, office, "POST", "/pools", { name: `プール${short}`, expert_title: "専門家<b>", description: POLYGLOT });
  await api(baseUrl, office, "POST", `/pools/${pool.id}/members`, { organisation_ids: [me.organisation_id], valid_from: "2020-04-01" });
  const programme = await api(baseUrl, office, "POST", "/programmes", { pool_id: pool.id, name: `事業${short}`, description: POLYGLOT });
  const preset = (await api(baseUrl, office, "GET", "/programmes/presets")).items[0];
  const now = new Date(Date.parse(today));
  const year = now.getUTCMonth() >= 3 ? now.getUTCFullYear() : now.getUTCFullYear() - 1;
  for (const fiscal_year of [year, year + 1]) await api(baseUrl, office, "POST", `/programmes/${programme.id}/years`, { fiscal_year, rules: preset.rules });
  await api(baseUrl, office, "POST", "/experts", {
    pool_id: pool.id, name: `人${short}`, kana: "ポリグロット", affiliation: short, affiliation_kind: "individual", base_place: short, profile: POLYGLOT,
    email: "polyglot@example.jp", onsite: true, online: true, appointed_from: "2020-04-01",
  });
  await api(baseUrl, office, "POST", "/organisations", { kind: "npo", name: `団体${short}`, kana: short });
  const request = await api(baseUrl, staff, "POST", "/requests", {
    programme_id: programme.id, activity_kind: "visit", theme: `題${short}`, background: POLYGLOT, goal: POLYGLOT, mode: "onsite", period_from: day,
    period_to: later, visit_count: 1, minutes_per_visit: 60, place: short, audience: POLYGLOT, audience_count: 3, equipment: POLYGLOT, department: short,
    contact_name: short, contact_phone: "053<b>", budget_note: POLYGLOT,
  });
  await api(baseUrl, staff, "POST", `/requests/${request.id}/messages`, { body: POLYGLOT });
  await api(baseUrl, staff, "POST", `/requests/${request.id}/attachments`, { file_name: `資料<img src=x onerror=1>.txt`, media_type: "text/plain", content_base64: "44GT" });
}

/** Opens what can be reached and looks for anything that ran. */
export async function stays(browser, baseUrl, today) {
  await plant(baseUrl, today);
  const problems = [];
  let met = 0;
  for (const who of Object.keys(people)) {
    const { page } = await signedIn(browser, baseUrl, who);
    page.on("dialog", (dialog) => {
      problems.push(`${who}: ${page.url()} opened a dialog`);
      void dialog.dismiss();
    });
    const waiting = ["/", "/menu"];
    const seen = new Set(waiting);
    const kinds = new Map();
    try {
      for (let opened = 0; waiting.length > 0 && opened < MOST; opened += 1) {
        const place = waiting.shift();
        const response = await page.goto(baseUrl + place, { waitUntil: "load" });
        if (response.status() >= 500) problems.push(`${who}: ${place} answered ${response.status()}`);
        const found = await page.evaluate(() => ({
          ran: globalThis.__xss === 1,
          elements: document.querySelectorAll('img[src="x"], svg[onload], script:not([src^="/assets/"])').length,
          text: document.body.innerText.includes("onerror=globalThis"),
          evaluated: document.body.innerText.includes("}49") || document.body.innerText.includes("{49"),
          links: [...document.querySelectorAll('a[href^="/"]')].map((a) => a.getAttribute("href").split("#")[0]),
        }));
        if (found.ran || found.elements > 0 || found.evaluated) problems.push(`${who}: ${place}: ${JSON.stringify({ ...found, links: undefined })}`);
        if (found.text) met += 1;
        for (const link of found.links) {
          if (seen.has(link) || /^\/(assets|docs|files|mailbox|audit-events\?)/.test(link)) continue;
          seen.add(link);
          // A few of each kind are enough: newest first, which is where the polyglot stands.
          const kind = link.replace(/\d+/g, "N").split("?")[0];
          const count = kinds.get(kind) ?? 0;
          kinds.set(kind, count + 1);
          if (count < 3) waiting.push(link);
        }
      }
    } finally {
      await page.context().close();
    }
  }
  if (met < 5) problems.push(`the polyglot was met on ${met} pages only: the test looks in the wrong places`);
  return problems;
}
