// Opens the demo's pages in a real browser and checks what only a browser can tell: that nothing is asked of another host, that
// the console stays clean, that pages can be read on a narrow screen and by assistive technology, and that whole journeys
// arrive. Screenshots go to target/browser/. Run by tests/run.sh; exits 1 when anything is wrong. Parts by name:
// `node tests/browser/run.mjs public pages journeys xss`.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspectPage, launchBrowser, openGuardedPage, startDemo, targetDir } from "./lib.mjs";
import * as journeys from "./journeys.mjs";
import { lookAtPages, usableAtOnce } from "./roles.mjs";
import { routes } from "./routes.mjs";
import { stays } from "./xss.mjs";

const screens = [
  { label: "wide", viewport: { width: 1280, height: 800 } },
  // 320 px: what remains of a 1280 px window at 400 % zoom (WCAG 2.2, 1.4.10).
  { label: "narrow", viewport: { width: 320, height: 640 } },
];
const screenshots = path.join(targetDir, "browser");

async function visit(browser, baseUrl, route, screen) {
  const url = baseUrl + route.path;
  const { page, problems, allowStatus } = await openGuardedPage(browser, { viewport: screen.viewport });
  try {
    if (route.status >= 400) allowStatus(url, route.status);
    const response = await page.goto(url, { waitUntil: "load", timeout: 15_000 });
    if (response.status() !== route.status) problems.push(`answered ${response.status()} instead of ${route.status}`);
    for (const selector of route.shows) {
      const seen = await page.locator(selector).first().isVisible();
      if (!seen) problems.push(`does not show ${selector}`);
    }
    problems.push(...(await inspectPage(page)));
    await page.screenshot({ path: path.join(screenshots, `${route.name}-${screen.label}.png`), fullPage: true });
  } finally {
    await page.context().close();
  }
  return problems;
}

/** The confirmation page must not need a script: it is opened from mail programs on locked-down machines. */
async function visitWithoutScript(browser, baseUrl, route) {
  const { page, problems, allowStatus } = await openGuardedPage(browser, { javaScriptEnabled: false });
  try {
    if (route.status >= 400) allowStatus(baseUrl + route.path, route.status);
    await page.goto(baseUrl + route.path, { waitUntil: "load", timeout: 15_000 });
    for (const selector of route.shows) {
      if (!(await page.locator(selector).first().isVisible())) problems.push(`does not show ${selector} without scripts`);
    }
  } finally {
    await page.context().close();
  }
  return problems;
}

/** The API document can be browsed without internet: every operation is listed and nothing is asked of another host. */
async function visitDocs(browser, baseUrl) {
  const { page, problems } = await openGuardedPage(browser);
  try {
    const document = await (await fetch(`${baseUrl}/openapi.json`)).json();
    // What the service can be asked, and what it tells programs.
    const items = [...Object.values(document.paths), ...Object.values(document.webhooks)];
    const operations = items.flatMap((item) => Object.values(item)).filter((value) => value.operationId);
    const response = await page.goto(`${baseUrl}/docs`, { waitUntil: "load", timeout: 15_000 });
    if (response.status() !== 200) problems.push(`answered ${response.status()}`);
    await page.locator(".opblock").nth(operations.length - 1).waitFor({ timeout: 30_000 });
    const shown = await page.locator(".opblock").count();
    if (shown !== operations.length) problems.push(`shows ${shown} operations of ${operations.length}`);
    await page.locator("#operations-requests-create_request .opblock-summary-control").click();
    await page.locator("#operations-requests-create_request .opblock-body").waitFor({ timeout: 15_000 });
    await page.screenshot({ path: path.join(screenshots, "docs.png") });
  } finally {
    await page.context().close();
  }
  return problems;
}

/** Looks at the page that is open now, as every page is looked at, and keeps a picture of it. */
async function look(page, problems, name) {
  problems.push(...(await inspectPage(page)));
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
}

/** Signs in by the keyboard alone and reads the overview. */
async function signInAndRead(browser, baseUrl, screen) {
  const { page, problems } = await openGuardedPage(browser, { viewport: screen.viewport });
  try {
    await page.goto(`${baseUrl}/sign-in`, { waitUntil: "load", timeout: 15_000 });
    await page.locator("#email").focus();
    await page.keyboard.type("coordinator@pref.example.jp");
    await page.keyboard.press("Tab");
    await page.keyboard.type("たすき-デモ-はるのうみ");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${baseUrl}/`, { timeout: 15_000 });
    if (!(await page.locator("main table").first().isVisible())) problems.push("the overview shows no table");
    if (!(await page.locator(".who").innerText()).includes("さん")) problems.push("the overview does not say who is signed in");
    await look(page, problems, `overview-${screen.label}`);
  } finally {
    await page.context().close();
  }
  return problems;
}

/** An expert opens the link of an offer mail and declines: without an account, without scripts, by the keyboard. */
async function answerOffer(browser, baseUrl) {
  const narrow = screens.find((screen) => screen.label === "narrow");
  const { page, problems } = await openGuardedPage(browser, { viewport: narrow.viewport });
  const plain = await openGuardedPage(browser, { viewport: narrow.viewport, javaScriptEnabled: false });
  try {
    await page.goto(`${baseUrl}/mailbox`, { waitUntil: "load", timeout: 15_000 });
    const links = await page.locator('pre a[href*="/offers/answer?token="]').evaluateAll((all) => all.map((a) => a.href));
    for (const link of links) {
      await page.goto(link, { waitUntil: "load", timeout: 15_000 });
      if ((await page.locator("input[name=answer]").count()) === 0) continue;
      for (const screen of screens) {
        await page.setViewportSize(screen.viewport);
        await look(page, problems, `offer-${screen.label}`);
      }
      await plain.page.goto(link, { waitUntil: "load", timeout: 15_000 });
      await plain.page.locator("input[value=decline]").focus();
      await plain.page.keyboard.press("Space");
      // A reason is missing: the answer is not taken and what was typed is kept.
      plain.allowStatus(new URL("/offers/answer", baseUrl).href, 422);
      await plain.page.locator("#note").fill("その週は出張です");
      await plain.page.locator("form .actions button").press("Enter");
      await plain.page.locator('[role="alert"]').waitFor({ timeout: 15_000 });
      await plain.page.waitForLoadState("load");
      if ((await plain.page.locator("#note").inputValue()) !== "その週は出張です") problems.push("the note was lost");
      await plain.page.locator("#reason").selectOption({ index: 1 });
      await plain.page.locator("form .actions button").press("Enter");
      await plain.page.waitForSelector("form input[name=answer]", { state: "detached", timeout: 15_000 });
      await plain.page.screenshot({ path: path.join(screenshots, "offer-answered.png"), fullPage: true });
      return [...problems, ...plain.problems];
    }
    problems.push("no offer of the demo waits for an answer");
  } finally {
    await page.context().close();
    await plain.page.context().close();
  }
  return problems;
}

await rm(screenshots, { recursive: true, force: true });
await mkdir(screenshots, { recursive: true });
let wrong = 0;
const report = (label, problems) => {
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${label}`);
  for (const problem of problems) console.log(`     ${problem}`);
  wrong += problems.length;
};

const only = process.argv.slice(2);
const wanted = (part) => only.length === 0 || only.includes(part);
/** A journey that cannot go on is a finding, not the end of the run. */
const journey = async (label, work) => {
  const started = Date.now();
  try {
    const problems = await work();
    report(`${label} (${Math.round((Date.now() - started) / 1000)} s)`, problems);
  } catch (error) {
    report(label, [String(error.stack ?? error).split("\n").slice(0, 12).join("\n     ")]);
  }
};

const world = await mkdtemp(path.join(tmpdir(), "tasuki-browser-"));
const FIRST_DAY = "2026-07-01";
const AFTER_THE_VISITS = "2026-07-25";
const state = {};
let browser;
try {
  browser = await launchBrowser();
  let demo = await startDemo({ args: ["--today", FIRST_DAY], folder: world });
  try {
    if (wanted("public")) {
      for (const route of routes) {
        for (const screen of screens) {
          report(`${route.name}, ${screen.label}`, await visit(browser, demo.baseUrl, route, screen));
        }
        report(`${route.name}, no script`, await visitWithoutScript(browser, demo.baseUrl, route));
      }
      for (const screen of screens) {
        report(`sign-in and overview, ${screen.label}`, await signInAndRead(browser, demo.baseUrl, screen));
      }
      await journey("answering an offer", () => answerOffer(browser, demo.baseUrl));
      await journey("docs", () => visitDocs(browser, demo.baseUrl));
    }
    if (wanted("pages")) {
      await lookAtPages(browser, demo.baseUrl, screens, screenshots, report, process.env.TEST_FULL === "1");
      await journey("usable at once on a slow line", () => usableAtOnce(browser, demo.baseUrl));
    }
    if (wanted("journeys")) {
      await journey("request to decision by three people", () => journeys.fromRequestToDecision(browser, demo.baseUrl, FIRST_DAY, state));
      await journey("decline and next candidate", () => journeys.declineAndNext(browser, demo.baseUrl, FIRST_DAY));
      await journey("every button pressed twice", () => journeys.pressedTwice(browser, demo.baseUrl, FIRST_DAY));
      await journey("two editors", () => journeys.twoEditors(browser, demo.baseUrl, FIRST_DAY));
      await journey("session ends while typing", () => journeys.expiredWhileTyping(browser, demo.baseUrl, FIRST_DAY));
      await journey("told before the session ends", () => journeys.warnedBeforeTheEnd(browser, demo.baseUrl));
      await journey("no script", () => journeys.withoutScript(browser, demo.baseUrl, FIRST_DAY));
      await journey("keyboard only", () => journeys.keyboardOnly(browser, demo.baseUrl));
      await journey("on a phone", () => journeys.onAPhone(browser, demo.baseUrl));
      await journey("printed", () => journeys.printed(browser, demo.baseUrl, screenshots));
      await journey("in English", () => journeys.inEnglish(browser, demo.baseUrl));
    }
    if (wanted("xss")) await journey("nothing typed runs", () => stays(browser, demo.baseUrl, FIRST_DAY));
  } finally {
    await demo.stop();
  }
  if (wanted("journeys") && state.dispatch) {
    demo = await startDemo({ args: ["--today", AFTER_THE_VISITS], folder: world });
    try {
      await journey("visit to settlement", () => journeys.fromVisitToSettlement(browser, demo.baseUrl, state));
    } finally {
      await demo.stop();
    }
  }
} finally {
  await browser?.close();
  await rm(world, { recursive: true, force: true });
}
if (wrong > 0) {
  console.error(`${wrong} problems`);
  process.exit(1);
}
