// Runs the compiled TypeScript scenario against a live demo: its first part on one day, its second part on the day after the
// visits, in the same world. Run by tests/run.sh after `tsc`.
//
// Each part is given BASE_URL (no slash at its end), DEMO_OUTPUT, the path of a file with everything the demo has printed once
// it was ready, its accounts among it, and STATE, the path of a file between them. It reports by its exit status.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startDemo, targetDir } from "../browser/lib.mjs";

const scratch = await mkdtemp(path.join(tmpdir(), "tasuki-client-"));

async function run(part, today) {
  const demo = await startDemo({ args: ["--today", today], folder: scratch });
  let outcome;
  try {
    const printed = path.join(scratch, "demo-output.txt");
    await writeFile(printed, demo.output(), { mode: 0o600 });
    outcome = await new Promise((resolve, reject) => {
      spawn(process.execPath, ["--enable-source-maps", path.join(targetDir, "node", "client", "build", part)], {
        stdio: ["ignore", "inherit", "inherit"],
        env: { ...process.env, BASE_URL: demo.baseUrl, DEMO_OUTPUT: printed, STATE: path.join(scratch, "state.json") },
      })
        .once("error", reject)
        .once("exit", (code, signal) => resolve(code ?? signal));
    });
  } finally {
    await demo.stop();
  }
  if (outcome !== 0) {
    console.error(`${part} ended with ${outcome}; the demo printed:\n${demo.output()}`);
    process.exitCode = 1;
  }
  return outcome === 0;
}

try {
  // Fixed days: the scenario asks for dates in the fiscal year that is running then.
  if (await run("scenario.js", "2026-07-01")) await run("after.js", "2026-09-16");
} finally {
  await rm(scratch, { recursive: true, force: true });
}
