// The main pages of every role, opened by who uses them most: what axe and html-validate find, what leaves the machine,
// what shifts while it loads, how much is sent, and whether it can be read before anything but the page itself has come.
//
// size: a main page weighs at most 60 KB, 15 KB on the way (issue of the pages); lists of the demo world are as long as a page
// of the product shows.

import path from "node:path";
import { inspectPage, openGuardedPage, targetDir, toolRequire } from "./lib.mjs";

export const PASSWORD = "たすき-デモ-はるのうみ";
export const people = {
  coordinator: "coordinator@pref.example.jp",
  staff: "staff@hamamatsu.example.jp",
  approver: "approver@fukuroi.example.jp",
  expert: "expert@example.jp",
  auditor: "auditor@pref.example.jp",
  admin: "admin@pref.example.jp",
};

/** Who uses which page most. `{…}` is filled from the first link of a list that a page of the demo shows. */
export const pages = [
  ["coordinator", "/", "home-coordinator"],
  ["coordinator", "/requests", "requests"],
  ["coordinator", "{/requests?stage=submitted}", "request-review"],
  ["coordinator", "{/requests?stage=matching}/candidates", "candidates"],
  ["coordinator", "/requests?stage=submitted", "requests-filtered"],
  ["coordinator", "/saved-filters", "saved-filters"],
  ["coordinator", "/offers", "offers"],
  ["coordinator", "/dispatches", "dispatches"],
  ["coordinator", "{/dispatches}", "dispatch"],
  ["coordinator", "/visits", "visits"],
  ["coordinator", "/calendar", "calendar-month"],
  ["coordinator", "/calendar?view=week", "calendar-week"],
  ["coordinator", "/experts", "experts"],
  ["coordinator", "{/experts}", "expert"],
  ["coordinator", "{/experts}/edit", "expert-form"],
  ["coordinator", "/workload", "workload"],
  ["coordinator", "/allocations", "allocations"],
  ["coordinator", "/settlements", "settlements"],
  ["coordinator", "/statistics", "statistics"],
  ["coordinator", "/programmes", "programmes"],
  ["coordinator", "{/programmes}", "programme"],
  ["coordinator", "/imports/new", "import"],
  ["coordinator", "/users", "users"],
  ["coordinator", "/users/hand-over", "hand-over"],
  ["coordinator", "/notifications", "mails"],
  ["coordinator", "/webhooks", "webhooks"],
  ["staff", "/", "home-staff"],
  ["staff", "/requests", "requests-staff"],
  ["staff", "/requests/new", "request-form"],
  ["staff", "{/requests}", "request-staff"],
  ["staff", "/reports", "reports"],
  ["staff", "/claims", "claims"],
  ["staff", "/calendar", "calendar-staff"],
  ["approver", "/", "home-approver"],
  ["expert", "/", "home-expert"],
  ["expert", "/offers", "offers-expert"],
  ["expert", "/my-availability", "availability"],
  ["expert", "/my-workload", "hours"],
  ["expert", "/my-profile", "profile"],
  ["expert", "/expert-payments", "payments"],
  ["auditor", "/", "home-auditor"],
  ["auditor", "/year-end", "year-end"],
  ["auditor", "/documents", "documents"],
  ["auditor", "/audit-events", "audit"],
  ["auditor", "/audit-events/verification", "audit-verification"],
  ["admin", "/", "home-admin"],
  ["admin", "/organisations", "organisations"],
  ["admin", "/api-clients", "api-clients"],
  ["staff", "/menu", "menu"],
  ["staff", "/account", "account"],
  ["staff", "/notices", "notices"],
  ["staff", "/notification-preferences", "preferences"],
  ["staff", "/about", "about"],
  ["staff", "/accessibility", "accessibility"],
];

/** Pages that hold everything at once and may weigh more: forms of whole documents. */
const heavy = new Set(["expert-form", "request-form", "calendar-month", "organisations"]);
const MOST_BYTES = 60 * 1024;
const MOST_SENT = 15 * 1024;

/** A page of somebody who is signed in. */
export async function signedIn(browser, baseUrl, who, options = {}) {
  const guarded = await openGuardedPage(browser, options);
  await signIn(guarded.page, baseUrl, who);
  return guarded;
}

export async function signIn(page, baseUrl, who) {
  await page.goto(`${baseUrl}/sign-in`, { waitUntil: "load" });
  await page.fill("#email", people[who] ?? who);
  await page.fill("#password", PASSWORD);
  await page.click('form[action="/sign-in"] button');
  await page.waitForURL((url) => url.pathname !== "/sign-in", { timeout: 15_000 });
}

/** `{/list}/rest`: the page of the first object that a list links to. */
export async function resolve(page, baseUrl, address) {
  const found = /^\{([^}]+)\}(.*)$/.exec(address);
  if (!found) return address;
  await page.goto(baseUrl + found[1], { waitUntil: "load" });
  const collection = found[1].split("?")[0];
  const links = await page.locator(`main a[href^="${collection}/"]`).evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  const first = links.find((link) => new RegExp(`^${collection}/\\d+$`).test(link));
  return first ? first + found[2] : null;
}

const { HtmlValidate } = toolRequire("html-validate");
const validator = new HtmlValidate({
  extends: ["html-validate:standard"],
  rules: {
    // Matters of taste, not of validity.
    "no-trailing-whitespace": "off", "long-title": "off", "require-sri": "off", "prefer-native-element": "off", "no-inline-style": "error",
    "wcag/h30": "off", "no-redundant-role": "off", "tel-non-breaking": "off", "prefer-tbody": "off", "attribute-boolean-style": "off", "void-style": "off",
    "doctype-style": "off", "input-missing-label": "error", "no-implicit-button-type": "off", "valid-autocomplete": "off",
  },
});

/** What html-validate finds wrong in a page's source. */
export async function invalid(html) {
  const report = await validator.validateString(html);
  return report.results.flatMap((result) => result.messages.filter((m) => m.severity === 2).map((m) => `html: ${m.ruleId}: ${m.message} (line ${m.line})`));
}

/** Opens every main page in its role; `every`: in every role that may see it. */
export async function lookAtPages(browser, baseUrl, screens, screenshots, report, every = false) {
  const roles = Object.keys(people);
  for (const who of roles) {
    const { page, problems } = await signedIn(browser, baseUrl, who);
    await page.addInitScript(() => {
      globalThis.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    try {
      for (const [role, address, name] of pages.filter(([role]) => every || role === who)) {
        const place = await resolve(page, baseUrl, address);
        problems.length = 0;
        if (place === null) {
          if (role === who) report(`${name}, ${who}`, [`no object for ${address}`]);
          continue;
        }
        for (const screen of screens) {
          await page.setViewportSize(screen.viewport);
          const response = await page.goto(baseUrl + place, { waitUntil: "load" });
          const found = [];
          if (response.status() !== 200) {
            if (role !== who) { problems.length = 0; continue; }
            found.push(`answered ${response.status()}`);
          }
          found.push(...(await inspectPage(page)));
          const shift = await page.evaluate(() => globalThis.shift);
          if (shift > 0.001) found.push(`the layout shifts by ${shift}`);
          if (screen.label === "wide") {
            const html = await response.text();
            found.push(...(await invalid(html)));
            const sent = await fetchSize(page, baseUrl + place);
            if (!heavy.has(name) && (html.length > MOST_BYTES || sent > MOST_SENT)) found.push(`weighs ${html.length} bytes, ${sent} on the way`);
          }
          if (role === who) await page.screenshot({ path: path.join(screenshots, `${name}-${screen.label}.png`), fullPage: true });
          report(`${name}, ${who}, ${screen.label}`, [...found, ...problems]);
          problems.length = 0;
        }
      }
    } finally {
      await page.context().close();
    }
  }
}

/** How many bytes of a page travel, compressed as a browser asks for it. */
async function fetchSize(page, url) {
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    request(url, { headers: { Cookie: cookies, "Accept-Encoding": "gzip", Accept: "text/html" } }, (response) => {
      let size = 0;
      response.on("data", (piece) => (size += piece.length)).on("end", () => resolve(size));
    }).on("error", reject).end();
  });
}

/** On a line of 1 Mbit/s the page itself is enough to read and to fill in: nothing else has to come first. */
export async function usableAtOnce(browser, baseUrl) {
  // A page of its own: what looks at every request keeps the browser from using its cache.
  const page = await (await browser.newContext({ locale: "ja-JP" })).newPage();
  const problems = [];
  await signIn(page, baseUrl, "staff");
  try {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 100, downloadThroughput: 125_000, uploadThroughput: 125_000 });
    for (const place of ["/", "/requests", "/requests/new"]) {
      const asked = [];
      const note = (request) => asked.push(new URL(request.url()).pathname);
      page.on("request", note);
      await page.goto(baseUrl + place, { waitUntil: "load" });
      page.off("request", note);
      // Style and script were kept from the page before: their names carry their hash.
      const network = await page.evaluate(() => performance.getEntriesByType("resource").filter((entry) => entry.transferSize > 0).map((entry) => entry.name));
      if (network.length > 0) problems.push(`${place} asks for ${network.join(", ")}`);
      if (!(await page.locator("h1").isVisible())) problems.push(`${place} shows no heading`);
    }
  } finally {
    await page.context().close();
  }
  return problems;
}

