// Opens the demo's public pages in a real browser and checks what only a browser can tell: that nothing is asked of
// another host, that the console stays clean, that the page can be read on a narrow screen and by assistive
// technology. Screenshots go to target/browser/. Run by tests/run.sh; exits 1 when anything is wrong.

import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { inspectPage, launchBrowser, openGuardedPage, startDemo, targetDir } from "./lib.mjs";
import { routes } from "./routes.mjs";

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
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item)).filter((value) => value.operationId);
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

await rm(screenshots, { recursive: true, force: true });
await mkdir(screenshots, { recursive: true });
let wrong = 0;
const report = (label, problems) => {
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${label}`);
  for (const problem of problems) console.log(`     ${problem}`);
  wrong += problems.length;
};

const demo = await startDemo();
try {
  const browser = await launchBrowser();
  try {
    for (const route of routes) {
      for (const screen of screens) {
        report(`${route.name}, ${screen.label}`, await visit(browser, demo.baseUrl, route, screen));
      }
      report(`${route.name}, no script`, await visitWithoutScript(browser, demo.baseUrl, route));
    }
    report("docs", await visitDocs(browser, demo.baseUrl));
  } finally {
    await browser.close();
  }
} finally {
  await demo.stop();
}
if (wrong > 0) {
  console.error(`${wrong} problems`);
  process.exit(1);
}
