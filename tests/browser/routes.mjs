// The pages that a visitor who has not signed in can open, and what each must show. tests/browser/run.mjs opens
// every one of them on a wide and on a narrow screen; a new public page gets its line here.
//
// name: of its screenshots; path: below the demo's address; status: of the answer;
// shows: elements that must be visible (CSS selectors or Playwright's text selectors).

export const routes = [
  {
    name: "sign-in",
    path: "/sign-in",
    status: 200,
    shows: ["input[type=password]", "button[type=submit]"],
  },
  {
    // The one-time link of an offer mail, here with a secret that was never given out.
    name: "offer-unknown-link",
    path: "/offers/answer?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    status: 404,
    shows: ["h1"],
  },
  {
    // The demo's built-in mailbox: what would have been sent.
    name: "mailbox",
    path: "/mailbox",
    status: 200,
    shows: ["h1"],
  },
];
