// Runs the compiled TypeScript scenario against a live demo. Run by tests/run.sh after `tsc`.
//
// The scenario is given BASE_URL (no slash at its end) and DEMO_OUTPUT, the path of a file with everything the demo has
// printed once it was ready, its accounts among it. It reports by its exit status.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startDemo, targetDir } from "../browser/lib.mjs";

const scenario = path.join(targetDir, "node", "client", "build", "scenario.js");
const scratch = await mkdtemp(path.join(tmpdir(), "tasuki-client-"));
// A fixed day: the scenario asks for dates in the fiscal year that is running then.
const demo = await startDemo({ args: ["--today", "2026-07-01"] });
let outcome;
try {
  const printed = path.join(scratch, "demo-output.txt");
  await writeFile(printed, demo.output(), { mode: 0o600 });
  outcome = await new Promise((resolve, reject) => {
    spawn(process.execPath, ["--enable-source-maps", scenario], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, BASE_URL: demo.baseUrl, DEMO_OUTPUT: printed },
    })
      .once("error", reject)
      .once("exit", (code, signal) => resolve(code ?? signal));
  });
} finally {
  await rm(scratch, { recursive: true, force: true });
  await demo.stop();
}
if (outcome !== 0) {
  console.error(`the scenario ended with ${outcome}; the demo printed:\n${demo.output()}`);
  process.exit(1);
}
