// What both parts of the scenario share: checked answers, accounts, the links in the demo's mailbox.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Api = Client<paths>;

export const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};
export const baseUrl = environment("BASE_URL");

/** What openapi-fetch returns, as far as the scenario looks at it. */
interface Outcome<Data, Problem> {
  data?: Data;
  error?: Problem;
  response: Response;
}

/** The body of a call that has to succeed; the problem document is the message otherwise. */
export function expectOk<Data>(outcome: Outcome<Data, unknown>, status = 200): NonNullable<Data> {
  const { data, error, response } = outcome;
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error ?? data, null, 2)}`);
  if (data === undefined || data === null) throw new Error(`${response.url}: no body`);
  return data;
}

/** Like `expectOk`, for operations that can also answer with a file. */
export function expectJson<Data>(outcome: Outcome<Data, unknown>): Exclude<NonNullable<Data>, string> {
  const data = expectOk(outcome);
  if (typeof data === "string") throw new Error(`${outcome.response.url}: a file`);
  return data as Exclude<NonNullable<Data>, string>;
}

/** Like `expectOk`, for a call that asks for a file. */
export function expectFile(outcome: Outcome<unknown, unknown>): Uint8Array {
  const data = expectOk(outcome);
  assert.ok(data instanceof ArrayBuffer, `${outcome.response.url}: no file`);
  assert.match(header(outcome, "content-disposition"), /^attachment; /);
  return new Uint8Array(data);
}

/** The problem document of a call that has to fail. */
export function expectProblem(outcome: Outcome<unknown, Schemas["Problem"]>, status: number, code: string): Schemas["Problem"] {
  const { error, response } = outcome;
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error ?? outcome.data)}`);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  if (error === undefined) throw new Error(`${response.url}: no problem document`);
  assert.equal(error.code, code);
  assert.equal(error.status, status);
  assert.equal(error.type, `/problems/${code.replaceAll("_", "-")}`);
  assert.equal(error.request_id, response.headers.get("x-request-id"));
  return error;
}

export function header({ response }: { response: Response }, name: string): string {
  const value = response.headers.get(name);
  if (value === null) throw new Error(`${response.url}: no ${name} header`);
  return value;
}

export function first<T>(list: readonly T[], what: string): T {
  const [one] = list;
  if (one === undefined) throw new Error(`no ${what}`);
  return one;
}

/** The accounts that the demo prints, one a line: `  <role>: <address>  <password>`. */
export async function accounts(): Promise<Map<string, { email: string; password: string }>> {
  const printed = await readFile(environment("DEMO_OUTPUT"), "utf8");
  const found = new Map<string, { email: string; password: string }>();
  for (const [, role, email, password] of printed.matchAll(/^ {2}(\S.*?): (\S+@\S+) {2}(\S+)$/gm)) {
    if (role !== undefined && email !== undefined && password !== undefined) found.set(role, { email, password });
  }
  return found;
}

export async function signIn(known: Map<string, { email: string; password: string }>, role: string): Promise<Api> {
  const account = known.get(role);
  if (account === undefined) throw new Error(`the demo printed no account for ${role}: ${[...known.keys()].join("、")}`);
  const token = expectOk(await createClient<paths>({ baseUrl }).POST("/api/v1/auth/token", { body: account }));
  assert.equal(token.token_type, "Bearer");
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token.access_token}` } });
}

/** The tagged union of fee tables: the compiler knows which members each kind has. */
export function describeFee(fee: Schemas["FeeTable"]): string {
  switch (fee.kind) {
    case "none":
      return "謝金なし";
    case "undisclosed":
      return "非公表";
    case "agreed":
      return fee.cap === undefined ? "回ごとに定める額" : `回ごとに定める額（${fee.cap}円まで）`;
    case "per_visit":
      return `1回${fee.amount}円`;
    case "timed":
      return `${fee.unit_minutes}分ごとに${fee.rate}円${fee.flat_from ? `、${fee.flat_from.from_minutes}分以上は${fee.flat_from.amount}円` : ""}`;
  }
}

/** The one-time tokens in the demo's mailbox, newest mail first. */
async function tokensInMailbox(): Promise<string[]> {
  const response = await fetch(`${baseUrl}/mailbox`);
  assert.equal(response.status, 200);
  return [...(await response.text()).matchAll(/\/offers\/answer\?token=([A-Za-z0-9_-]+)/g)].map(([, token]) => token ?? "");
}

/** The link of the mail about this theme. The mail is in the outbox as soon as the offer is; the page may lag behind. */
export async function linkAbout(theme: string): Promise<string> {
  const anonymous = createClient<paths>({ baseUrl });
  for (let attempt = 0; attempt < 40; attempt += 1) {
    for (const token of new Set((await tokensInMailbox()).slice(0, 6))) {
      const { data } = await anonymous.GET("/api/v1/offer-links/{token}", { params: { path: { token } } });
      if (data?.offer?.theme === theme) return token;
    }
    await sleep(250);
  }
  throw new Error(`no mail about ${theme}`);
}


/** A body in base64, as uploads carry it. */
export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
