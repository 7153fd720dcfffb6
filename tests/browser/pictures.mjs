// Takes the pictures of the README's tour: node tests/browser/pictures.mjs. Small on purpose; look at them before they are kept.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launchBrowser, startDemo } from "./lib.mjs";
import { resolve, signedIn } from "./roles.mjs";

const folder = fileURLToPath(new URL("../../deploy/pages/", import.meta.url));
await mkdir(folder, { recursive: true });
const demo = await startDemo({ args: ["--today", "2026-07-01"] });
const browser = await launchBrowser();
try {
  const { page } = await signedIn(browser, demo.baseUrl, "coordinator", { viewport: { width: 1100, height: 760 } });
  for (const [address, name] of [["/", "today"], ["{/requests?stage=submitted}", "review"], ["{/requests?stage=matching}/candidates", "candidates"]]) {
    await page.goto(demo.baseUrl + (await resolve(page, demo.baseUrl, address)), { waitUntil: "load" });
    await page.screenshot({ path: `${folder}${name}.jpg`, type: "jpeg", quality: 60 });
  }
} finally {
  await browser.close();
  await demo.stop();
}
