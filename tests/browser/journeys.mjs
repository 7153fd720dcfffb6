// Whole journeys through the pages, as people make them. Fields are found by the name of what they hold (the JSON pointer in
// the body of the operation), links and buttons by what they say; a journey returns what went wrong.

import assert from "node:assert/strict";
import path from "node:path";
import { inspectPage, openGuardedPage } from "./lib.mjs";
import { PASSWORD, people, signedIn } from "./roles.mjs";

/** The Japanese day so many days after today in the demo. */
const dayAfter = (today, days) => new Date(Date.parse(`${today}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
const field = (page, name) => page.locator(`main form.fill [name="/${name}"]:not([type=hidden])`).first();
const sendForm = async (page, action) => {
  const form = page.locator(`main form[action="${action}"]`).first();
  await Promise.all([page.waitForLoadState("load"), form.locator('button[type="submit"], button:not([type])').last().click()]);
  await page.waitForLoadState("load");
};
const idOf = (page, collection) => Number(new RegExp(`/${collection}/(\\d+)`).exec(new URL(page.url()).pathname)?.[1]);

/** Fills in a request on its one page; where it is afterwards. */
async function writeRequest(page, baseUrl, today, theme) {
  await page.goto(`${baseUrl}/requests/new`, { waitUntil: "load" });
  const programmes = await field(page, "programme_id").locator("option").evaluateAll((all) => all.map((option) => option.value).filter((value) => value !== ""));
  await field(page, "programme_id").selectOption(programmes[0]);
  await field(page, "activity_kind").selectOption("visit");
  await field(page, "theme").fill(theme);
  await field(page, "background").fill("申請の多くが紙のまま残り、窓口の待ち時間が長い。");
  await field(page, "goal").fill("主な手続を電子申請に移す計画をつくる。");
  await field(page, "mode").selectOption("onsite");
  await field(page, "period_from").fill(dayAfter(today, 14));
  await field(page, "period_to").fill(dayAfter(today, 60));
  await field(page, "visit_count").fill("1");
  await field(page, "minutes_per_visit").fill("120");
  await field(page, "place").fill("浜松市役所");
  await field(page, "audience").fill("窓口の職員");
  await field(page, "audience_count").fill("12");
  await field(page, "department").fill("デジタル推進課");
  await field(page, "contact_name").fill("浜松 太郎");
}

async function fileRequest(page, baseUrl, today, theme) {
  await writeRequest(page, baseUrl, today, theme);
  await sendForm(page, "/do/requests");
  const id = idOf(page, "requests");
  assert.ok(id > 0, `no request: ${page.url()} ${await page.locator("main").innerText()}`);
  if (new URL(page.url()).pathname !== `/requests/${id}`) await page.goto(`${baseUrl}/requests/${id}`, { waitUntil: "load" });
  return id;
}

async function verb(page, baseUrl, object, name, fill = async () => {}) {
  await page.goto(`${baseUrl}${object}/${name}`, { waitUntil: "load" });
  await fill();
  await sendForm(page, `/do${object}/${name}`);
  const alert = page.locator(".notice.bad");
  assert.equal(await alert.count(), 0, `${object}/${name}: ${await alert.allInnerTexts()}`);
}

async function button(page, baseUrl, object, name) {
  await page.goto(`${baseUrl}${object}`, { waitUntil: "load" });
  await sendForm(page, `/do${object}/${name}`);
  const alert = page.locator(".notice.bad");
  assert.equal(await alert.count(), 0, `${object}/${name}: ${await alert.allInnerTexts()}`);
}

async function submitAndAccept(staff, office, baseUrl, id) {
  await button(staff, baseUrl, `/requests/${id}`, "submit");
  await verb(office, baseUrl, `/requests/${id}`, "accept");
}

/** The office asks the candidate at a place in the list; the number of the offer. */
async function offerTo(office, baseUrl, today, request, place) {
  await office.goto(`${baseUrl}/requests/${request}/candidates`, { waitUntil: "load" });
  const links = await office.locator(`main a[href*="/requests/${request}/offers/new?expert_id="]`).evaluateAll((all) => [...new Set(all.map((a) => a.getAttribute("href")))]);
  assert.ok(links.length > place, `${links.length} candidates to ask`);
  await office.goto(baseUrl + links[place], { waitUntil: "load" });
  await office.locator('[name="/visits/0/day"]').fill(dayAfter(today, 21));
  await office.locator('[name="/visits/0/start_minute"]').fill("10:00");
  await office.locator('[name="/visits/0/minutes"]').fill("120");
  await sendForm(office, `/do/requests/${request}/offers`);
  assert.equal(await office.locator(".notice.bad").count(), 0, await office.locator("main").innerText());
  await office.goto(`${baseUrl}/requests/${request}`, { waitUntil: "load" });
  const offers = await office.locator('main a[href^="/offers/"]').evaluateAll((all) => all.map((a) => Number(/\/offers\/(\d+)/.exec(a.getAttribute("href"))?.[1])));
  return Math.max(...offers);
}

/** The newest one-time link that the demo's mailbox holds for a theme. */
async function linkFor(page, baseUrl, theme) {
  await page.goto(`${baseUrl}/mailbox`, { waitUntil: "load" });
  const mail = page.locator("article.mail", { hasText: theme }).filter({ has: page.locator('a[href*="/offers/answer?token="]') }).first();
  return mail.locator('a[href*="/offers/answer?token="]').first().getAttribute("href");
}

/** 1, first part: a town asks, the office finds somebody, the expert accepts by the link, the office decides. */
export async function fromRequestToDecision(browser, baseUrl, today, state) {
  const theme = "三人で進める電子申請の拡大";
  const staff = await signedIn(browser, baseUrl, "staff");
  const office = await signedIn(browser, baseUrl, "coordinator");
  const expert = await openGuardedPage(browser);
  try {
    const request = await fileRequest(staff.page, baseUrl, today, theme);
    await submitAndAccept(staff.page, office.page, baseUrl, request);
    const offer = await offerTo(office.page, baseUrl, today, request, 0);
    const link = await linkFor(expert.page, baseUrl, theme);
    await expert.page.goto(link, { waitUntil: "load" });
    await expert.page.check("input[value=accept]");
    await expert.page.click("form .actions button");
    await expert.page.waitForSelector("form input[name=answer]", { state: "detached" });
    await verb(office.page, baseUrl, `/requests/${request}`, "decide", async () => {
      const box = office.page.locator(`[name="/offer_ids"][value="${offer}"]`);
      if ((await box.count()) > 0) await box.check();
      else await office.page.locator('textarea[name="/offer_ids"]').fill(String(offer));
    });
    await staff.page.goto(`${baseUrl}/requests/${request}`, { waitUntil: "load" });
    const dispatch = await staff.page.locator('main a[href^="/dispatches/"]').first().getAttribute("href");
    assert.match(dispatch ?? "", /^\/dispatches\/\d+/);
    Object.assign(state, { request, dispatch: dispatch.match(/^\/dispatches\/\d+/)[0] });
    return [...staff.problems, ...office.problems, ...expert.problems];
  } finally {
    for (const { page } of [staff, office, expert]) await page.context().close();
  }
}

/** 1, second part, when the visit is over: recorded, reported, approved, settled to the yen. */
export async function fromVisitToSettlement(browser, baseUrl, state) {
  const staff = await signedIn(browser, baseUrl, "staff");
  const office = await signedIn(browser, baseUrl, "coordinator");
  try {
    await staff.page.goto(baseUrl + state.dispatch, { waitUntil: "load" });
    const visit = (await staff.page.locator('main a[href^="/visits/"]').first().getAttribute("href")).match(/^\/visits\/\d+/)[0];
    await verb(staff.page, baseUrl, visit, "record", async () => {
      await staff.page.locator('main form[action$="/record"] [name="/actual_minutes"]').fill("120");
      await staff.page.locator('main form[action$="/record"] [name="/attendees"]').fill("12");
    });
    await staff.page.goto(`${baseUrl}${state.dispatch}/report`, { waitUntil: "load" });
    const write = `/do${state.dispatch}/report`;
    if ((await staff.page.locator(`form[action="${write}"]`).count()) === 0) await staff.page.goto(`${baseUrl}${state.dispatch}/report/edit`, { waitUntil: "load" });
    await field(staff.page, "content").fill("現状を調べ、優先する手続を選んだ。");
    await field(staff.page, "result").fill("主な手続を電子化する計画ができた。");
    await sendForm(staff.page, write);
    await staff.page.goto(`${baseUrl}${state.dispatch}/report`, { waitUntil: "load" });
    const submit = await staff.page.locator('main form[action^="/do/reports/"][action$="/submit"]').first().getAttribute("action");
    await sendForm(staff.page, submit);
    await office.page.goto(`${baseUrl}${state.dispatch}/report`, { waitUntil: "load" });
    const approve = await office.page.locator('main form[action^="/do/reports/"][action$="/approve"]').first().getAttribute("action");
    await sendForm(office.page, approve);
    assert.equal(await office.page.locator(".notice.bad").count(), 0, await office.page.locator("main").innerText());
    await office.page.goto(`${baseUrl}/settlements/new`, { waitUntil: "load" });
    await office.page.locator('[name="/dispatch_id"]').first().fill(state.dispatch.split("/").pop());
    await sendForm(office.page, "/do/settlements");
    const settlement = `/settlements/${idOf(office.page, "settlements")}`;
    await button(office.page, baseUrl, settlement, "calculate");
    await verb(office.page, baseUrl, settlement, "confirm");
    await office.page.goto(baseUrl + settlement, { waitUntil: "load" });
    const text = await office.page.locator("main").innerText();
    assert.match(text, /10,000円/, text);
    return [...staff.problems, ...office.problems];
  } finally {
    for (const { page } of [staff, office]) await page.context().close();
  }
}

/** 2: the first expert declines, the next candidate is asked. */
export async function declineAndNext(browser, baseUrl, today) {
  const theme = "辞退のあとの候補者さがし";
  const staff = await signedIn(browser, baseUrl, "staff");
  const office = await signedIn(browser, baseUrl, "coordinator");
  const expert = await openGuardedPage(browser);
  try {
    const request = await fileRequest(staff.page, baseUrl, today, theme);
    await submitAndAccept(staff.page, office.page, baseUrl, request);
    const first = await offerTo(office.page, baseUrl, today, request, 0);
    await expert.page.goto(await linkFor(expert.page, baseUrl, theme), { waitUntil: "load" });
    await expert.page.check("input[value=decline]");
    await expert.page.selectOption("#reason", { index: 1 });
    await expert.page.click("form .actions button");
    await expert.page.waitForSelector("form input[name=answer]", { state: "detached" });
    await office.page.goto(`${baseUrl}/offers/${first}`, { waitUntil: "load" });
    assert.match(await office.page.locator("main").innerText(), /辞退/);
    const second = await offerTo(office.page, baseUrl, today, request, 1);
    assert.ok(second > first);
    return [...staff.problems, ...office.problems, ...expert.problems];
  } finally {
    for (const { page } of [staff, office, expert]) await page.context().close();
  }
}

/** 3: every button is pressed twice; each acts once. */
export async function pressedTwice(browser, baseUrl, today) {
  const theme = `二度押し ${today}`;
  for (const javaScriptEnabled of [true, false]) {
    const { page, problems } = await signedIn(browser, baseUrl, "staff", { javaScriptEnabled });
    try {
      const name = `${theme} ${javaScriptEnabled ? "スクリプトあり" : "なし"}`;
      await writeRequest(page, baseUrl, today, name);
      await page.locator('form[action="/do/requests"] .actions button').last().dblclick();
      await page.waitForURL((url) => /\/requests\/\d+/.test(url.pathname) && url.search.includes("done="), { timeout: 15_000, waitUntil: "load" });
      const id = idOf(page, "requests");
      await page.goto(`${baseUrl}/requests/${id}`, { waitUntil: "load" });
      await page.locator(`form[action="/do/requests/${id}/submit"] button`).first().dblclick();
      await page.waitForURL((url) => url.search.includes("done=submit_request"), { timeout: 15_000, waitUntil: "load" });
      await page.goto(`${baseUrl}/requests?q=${encodeURIComponent(name)}`, { waitUntil: "load" });
      const links = await page.locator('main a[href^="/requests/"]').evaluateAll((all) => new Set(all.map((a) => a.getAttribute("href")).filter((href) => /^\/requests\/\d+$/.test(href))).size);
      assert.equal(links, 1, `${links} requests of one form`);
      // A press that is given up because the next one follows is no failure of the service.
      const real = problems.filter((problem) => !problem.includes("ERR_ABORTED"));
      assert.deepEqual(real, []);
    } finally {
      await page.context().close();
    }
  }
  return [];
}

/** 4: two people edit the same request; the later one sees what the other has changed and loses nothing. */
export async function twoEditors(browser, baseUrl, today) {
  const one = await signedIn(browser, baseUrl, "staff");
  const other = await signedIn(browser, baseUrl, "staff");
  try {
    const request = await fileRequest(one.page, baseUrl, today, "二人で直す申請");
    const edit = `${baseUrl}/requests/${request}/edit`;
    await one.page.goto(edit, { waitUntil: "load" });
    await other.page.goto(edit, { waitUntil: "load" });
    await field(other.page, "place").fill("浜松市防災学習センター");
    await sendForm(other.page, `/do/requests/${request}`);
    await field(one.page, "theme").fill("わたしの直したテーマ");
    one.allowStatus(`${baseUrl}/do/requests/${request}`, 412);
    await sendForm(one.page, `/do/requests/${request}`);
    const alert = await one.page.locator(".notice.bad").innerText();
    assert.match(alert, /ほかの人/);
    assert.match(alert, /浜松市防災学習センター/);
    assert.equal(await field(one.page, "theme").inputValue(), "わたしの直したテーマ");
    one.problems.push(...(await inspectPage(one.page)));
    await field(one.page, "place").fill("浜松市防災学習センター");
    await sendForm(one.page, `/do/requests/${request}`);
    await one.page.goto(`${baseUrl}/requests/${request}`, { waitUntil: "load" });
    const text = await one.page.locator("main").innerText();
    assert.match(text, /わたしの直したテーマ/);
    assert.match(text, /浜松市防災学習センター/);
    return [...one.problems, ...other.problems];
  } finally {
    for (const { page } of [one, other]) await page.context().close();
  }
}

/** 5: the session ends while somebody writes; what was typed is there after signing in again. */
export async function expiredWhileTyping(browser, baseUrl, today) {
  const writer = await signedIn(browser, baseUrl, "staff");
  const elsewhere = await signedIn(browser, baseUrl, "staff");
  try {
    await writeRequest(writer.page, baseUrl, today, "長い時間をかけて書いた申請");
    await elsewhere.page.goto(`${baseUrl}/account`, { waitUntil: "load" });
    for (;;) {
      const end = elsewhere.page.locator('form[action^="/do/auth/sessions/"] button').first();
      if ((await end.count()) === 0) break;
      await Promise.all([elsewhere.page.waitForNavigation(), end.click()]);
    }
    writer.allowStatus(`${baseUrl}/do/requests`, 401);
    await sendForm(writer.page, "/do/requests");
    assert.match(await writer.page.locator("main").innerText(), /入力した内容は残っています/);
    await writer.page.fill("#email", people.staff);
    await writer.page.fill("#password", PASSWORD);
    await writer.page.click('form[action="/sign-in"] button');
    await writer.page.locator('form[action="/resume"] button').click();
    await writer.page.waitForLoadState("load");
    assert.equal(await field(writer.page, "theme").inputValue(), "長い時間をかけて書いた申請");
    assert.equal(await field(writer.page, "audience_count").inputValue(), "12");
    await sendForm(writer.page, "/do/requests");
    assert.ok(idOf(writer.page, "requests") > 0, writer.page.url());
    return [...writer.problems, ...elsewhere.problems];
  } finally {
    for (const { page } of [writer, elsewhere]) await page.context().close();
  }
}

/** 5b: whoever writes for long is told five minutes before the session ends, and can go on with one press. */
export async function warnedBeforeTheEnd(browser, baseUrl) {
  const { page, problems } = await signedIn(browser, baseUrl, "staff");
  try {
    await page.clock.install();
    await page.goto(`${baseUrl}/requests/new`, { waitUntil: "load" });
    assert.equal(await page.locator(".notice[role=status]").count(), 0);
    await page.clock.fastForward("55:01");
    const warning = page.locator(".notice[role=status]");
    assert.match(await warning.innerText(), /あと5分/);
    await warning.locator("button").click();
    await warning.waitFor({ state: "detached" });
    return problems;
  } finally {
    await page.context().close();
  }
}

/** 6: everything works without a script: filing, what is wrong at its field, submitting. */
export async function withoutScript(browser, baseUrl, today) {
  const { page, problems, allowStatus } = await signedIn(browser, baseUrl, "staff", { javaScriptEnabled: false });
  try {
    await writeRequest(page, baseUrl, today, "スクリプトのない申請");
    await field(page, "visit_count").fill("たくさん");
    allowStatus(`${baseUrl}/do/requests`, 422);
    await sendForm(page, "/do/requests");
    assert.match(await page.locator(".notice.bad").innerText(), /数字で入力してください/);
    assert.equal(await field(page, "theme").inputValue(), "スクリプトのない申請");
    await field(page, "visit_count").fill("２");
    await sendForm(page, "/do/requests");
    const id = idOf(page, "requests");
    await button(page, baseUrl, `/requests/${id}`, "submit");
    await page.goto(`${baseUrl}/requests/${id}`, { waitUntil: "load" });
    assert.equal(await page.locator(`form[action="/do/requests/${id}/submit"]`).count(), 0, "submitted once");
    return problems;
  } finally {
    await page.context().close();
  }
}

/** 7: with the keyboard alone: every stop is seen, the form is filled in order and sent. */
export async function keyboardOnly(browser, baseUrl) {
  const { page, problems } = await openGuardedPage(browser);
  try {
    await page.goto(`${baseUrl}/sign-in`, { waitUntil: "load" });
    const focused = () => page.evaluate(() => {
      const at = document.activeElement;
      const box = at.getBoundingClientRect();
      const style = getComputedStyle(at);
      return { tag: at.tagName, name: at.getAttribute("name") ?? "", text: at.innerText ?? "", seen: box.width > 0 && box.height > 0, outline: style.outlineStyle !== "none" };
    });
    const tabTo = async (right, most = 200) => {
      for (let stop = 0; stop < most; stop += 1) {
        await page.keyboard.press("Tab");
        const at = await focused();
        if (at.tag !== "BODY" && !(at.seen && at.outline)) problems.push(`the focus is not seen on ${JSON.stringify(at)}`);
        if (right(at)) return;
      }
      throw new Error("not reached by the Tab key");
    };
    await tabTo((at) => at.name === "email");
    await page.keyboard.type(people.staff);
    await tabTo((at) => at.name === "password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${baseUrl}/`);
    await page.keyboard.press("Tab");
    assert.match((await focused()).text, /本文へ/, "the first stop skips to the content");
    await tabTo((at) => at.tag === "A" && /新しい申請/.test(at.text));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/requests\/new/);
    await tabTo((at) => at.name === "/programme_id");
    await page.keyboard.press("ArrowDown");
    await tabTo((at) => at.name === "/theme");
    await page.keyboard.type("キーボードだけの申請");
    await tabTo((at) => at.tag === "BUTTON" && /下書き|申請/.test(at.text));
    return problems;
  } finally {
    await page.context().close();
  }
}

/** 8: an expert on a phone reads, sees the calendar and changes the availability. */
export async function onAPhone(browser, baseUrl) {
  const { page, problems } = await signedIn(browser, baseUrl, "expert", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  try {
    for (const place of ["/", "/offers", "/calendar", "/my-availability", "/my-workload", "/my-profile"]) {
      await page.goto(baseUrl + place, { waitUntil: "load" });
      problems.push(...(await inspectPage(page)).map((problem) => `${place}: ${problem}`));
      const small = await page.locator("main button, main .button").evaluateAll((all) => all.filter((b) => b.checkVisibility() && b.getBoundingClientRect().height < 24).length);
      if (small > 0) problems.push(`${place}: ${small} buttons are too small for a finger`);
    }
    await page.goto(`${baseUrl}/my-availability`, { waitUntil: "load" });
    const form = page.locator('form[action$="/availability"]').first();
    await form.locator('[name="/weekly/0/start_minute"]').fill("13:00");
    await form.locator('[name="/weekly/0/end_minute"]').fill("17:00");
    if (await form.locator('select[name="/weekly/0/weekday"]').count()) await form.locator('select[name="/weekly/0/weekday"]').selectOption({ index: 2 });
    await sendForm(page, await form.getAttribute("action"));
    assert.equal(await page.locator(".notice.bad").count(), 0, await page.locator("main").innerText());
    assert.match(await page.locator("main").innerText(), /13:00/);
    return problems;
  } finally {
    await page.context().close();
  }
}

/** 9: what is printed: A4, without what belongs to the screen, nothing cut off. */
export async function printed(browser, baseUrl, screenshots) {
  const { page, problems } = await signedIn(browser, baseUrl, "auditor");
  try {
    for (const place of ["/year-end", "/statistics", "/dispatches"]) {
      await page.goto(baseUrl + place, { waitUntil: "load" });
      await page.emulateMedia({ media: "print" });
      for (const selector of ["nav.main", ".actions", "footer"]) {
        const shown = await page.locator(selector).evaluateAll((all) => all.filter((element) => element.checkVisibility()).length);
        if (shown > 0) problems.push(`${place}: ${selector} is printed`);
      }
      const pdf = await page.pdf({ format: "A4", path: path.join(screenshots, `${place.slice(1)}.pdf`), preferCSSPageSize: true });
      assert.ok(pdf.length > 5_000);
      await page.emulateMedia({ media: "screen" });
    }
    return problems;
  } finally {
    await page.context().close();
  }
}

/** 10: in English. */
export async function inEnglish(browser, baseUrl) {
  const { page, problems } = await signedIn(browser, baseUrl, "coordinator");
  try {
    await page.locator('form[action="/language"] button').click();
    await page.waitForLoadState("load");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    for (const place of ["/", "/requests", "/menu", "/experts", "/statistics", "/workload", "/account", "/requests/new", "/calendar"]) {
      await page.goto(baseUrl + place, { waitUntil: "load" });
      const heading = await page.locator("h1").innerText();
      if (!/^[A-Z][a-z]+/.test(heading)) problems.push(`${place}: the heading is Japanese: ${heading}`);
      const labels = await page.locator("main label, main th, main button, nav.main a").allInnerTexts();
      const japanese = labels.filter((label) => /[ぁ-んァ-ヶ]/.test(label));
      // Names of programmes, skills and people stay as they are.
      if (japanese.length > labels.length / 3) problems.push(`${place}: ${japanese.length} of ${labels.length} labels are Japanese: ${japanese.slice(0, 5).join(", ")}`);
    }
    return problems;
  } finally {
    await page.context().close();
  }
}

