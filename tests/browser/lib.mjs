// What every test that drives the running product needs: the demo as a child process on a free loopback port, and
// pages in a real browser that may talk to that server and to nobody else.
//
// Environment (set by tests/run.sh): TEST_PROGRAM the program, TEST_TARGET_DIR cargo's target directory, CHROMIUM.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Cargo's target directory: the tools are below it, and so is everything that tests write. */
export const targetDir = process.env.TEST_TARGET_DIR ?? path.join(repository, "target");

/** Resolves the packages of tests/tools/package-lock.json, installed under the target directory. */
export const toolRequire = createRequire(path.join(targetDir, "node", "package.json"));

/** A port of 127.0.0.1 that nobody listens on at this moment. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitUntilReady(child, baseUrl, output, seconds) {
  const deadline = Date.now() + seconds * 1000;
  let last = "no answer yet";
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the demo ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${output()}`);
    }
    try {
      const response = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(2000) });
      if (response.status === 200) return;
      last = `${response.status} ${await response.text()}`;
    } catch (error) {
      last = String(error.cause ?? error);
    }
    await sleep(50);
  }
  throw new Error(`/readyz did not turn 200 within ${seconds} s (${last}):\n${output()}`);
}

/**
 * Starts `tasuki demo` on a free port with a data directory of its own and waits for /readyz.
 *
 * `output()` is everything printed so far, the demo's accounts among it. `stop()` asks it to end, demands that it
 * ends cleanly, and removes the data; the caller must await it.
 *
 * @param {{ args?: string[], readySeconds?: number }} [options] further arguments, e.g. ["--today", "2026-10-01"]
 */
export async function startDemo({ args = [], readySeconds = 60, folder } = {}) {
  const program = process.env.TEST_PROGRAM ?? path.join(targetDir, "debug", "tasuki");
  // A folder of the caller is kept, so that the same demo can go on another day.
  const data = folder ?? (await mkdtemp(path.join(tmpdir(), "tasuki-demo-")));
  const forget = async () => folder ?? (await rm(data, { recursive: true, force: true }));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  // The caller's own TASUKI_… settings must not reach into the demo.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TASUKI_")));
  const child = spawn(program, ["demo", "--port", String(port), "--data", data, ...args], {
    cwd: data,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const output = () => text;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece) => (text += piece));
  }
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", (code, signal) => resolve({ code, signal })));
  ended.catch(() => {}); // A program that cannot be started is reported by whoever waits below.

  const stop = async () => {
    try {
      child.kill("SIGTERM");
      const outcome = await Promise.race([ended, sleep(20_000, "late", { ref: false })]);
      if (outcome === "late") {
        child.kill("SIGKILL");
        throw new Error(`the demo did not stop within 20 s:\n${text}`);
      }
      if (outcome.code !== 0) {
        throw new Error(`the demo stopped with ${outcome.code ?? outcome.signal}:\n${text}`);
      }
    } finally {
      await forget();
    }
  };

  try {
    await Promise.race([waitUntilReady(child, baseUrl, output, readySeconds), ended.then(() => sleep(1000))]);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the demo ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${text}`);
    }
  } catch (error) {
    child.kill("SIGKILL");
    await forget();
    throw error;
  }
  return { baseUrl, output, stop };
}

/** Debian's Chromium, headless, with everything switched off that would look for its maker's servers. */
export async function launchBrowser() {
  const { chromium } = toolRequire("playwright-core");
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    // The sandbox refuses to run as root, which is who builds in a container.
    chromiumSandbox: process.getuid() !== 0,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Second wall behind the request filter below: no name resolves, so nothing can leave by another door.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
}

const isLoopback = (url) => {
  const { protocol, hostname } = new URL(url);
  if (protocol === "data:" || protocol === "blob:" || protocol === "about:") return true;
  return hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
};

/**
 * A page, Japanese and in Japan, that collects what must not happen in `problems`: requests that leave loopback (they
 * are refused), console errors, uncaught exceptions, failed requests and answers of 500 and above.
 *
 * `allowStatus(url, status)` names an answer of 400 or above that a test provokes; the browser's own console line
 * about it is no problem then. Close with `page.context().close()`.
 */
export async function openGuardedPage(browser, contextOptions = {}) {
  const context = await browser.newContext({
    locale: "ja-JP",
    timezoneId: "Asia/Tokyo",
    viewport: { width: 1280, height: 800 },
    serviceWorkers: "block",
    ...contextOptions,
  });
  const problems = [];
  const allowed = new Map();
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (isLoopback(url)) return route.continue();
    problems.push(`request leaves loopback: ${url}`);
    return route.abort("blockedbyclient");
  });
  await context.routeWebSocket(/.*/, (socket) => {
    if (isLoopback(socket.url())) {
      socket.connectToServer();
    } else {
      problems.push(`web socket leaves loopback: ${socket.url()}`);
      void socket.close();
    }
  });

  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    const status = allowed.get(url);
    if (status !== undefined && message.text().includes(`status of ${status}`)) return;
    problems.push(`console error: ${message.text()} (${url})`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    // The browser gives up what a page still loads when the next page follows at once (the sign in the tab, a style asked
    // for again). Only the browser says so with this word: a server that fails or a lost connection has another one, and
    // an answer that is not there comes with its status.
    const givenUp = request.failure()?.errorText === "net::ERR_ABORTED" && new URL(request.url()).pathname.startsWith("/assets/");
    if (isLoopback(request.url()) && !givenUp) problems.push(`request failed: ${request.url()} ${request.failure()?.errorText}`);
  });
  page.on("response", (response) => {
    const status = response.status();
    if (status < 400 || allowed.get(response.url()) === status) return;
    problems.push(`answer ${status}: ${response.url()}`);
  });
  return { page, problems, allowStatus: (url, status) => allowed.set(url, status) };
}

/**
 * What no page may have: WCAG 2.2 A and AA violations that axe can find, a missing or foreign language, an empty title,
 * anything but one main heading, or a line wider than the window.
 *
 * @returns {Promise<string[]>} one sentence per finding
 */
export async function inspectPage(page) {
  const { source } = toolRequire("axe-core");
  // Evaluated by the debugger, not inserted as an element: the page's content security policy stays in force.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const result = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return result.violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((n) => n.target.join(" ")).join(", ")})`);
  });
  const shape = await page.evaluate(() => {
    const found = [];
    if (document.documentElement.lang !== "ja") found.push(`<html lang> is "${document.documentElement.lang}", not "ja"`);
    if (document.title.trim() === "") found.push("the title is empty");
    const headings = document.querySelectorAll("h1").length;
    if (headings !== 1) found.push(`${headings} main headings instead of one`);
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} px wide in a window of ${clientWidth} px`);
    return found;
  });
  return [...shape, ...violations];
}
