// What pages do beyond what they do without it: a form's text is kept in this tab while it is written, a button is not
// pressed twice by accident, and whoever is about to be signed out is told so. Nothing depends on it.
"use strict";
(() => {
  const english = document.documentElement.lang === "en";
  const { person, idle } = document.body.dataset;
  const kept = (form) => `typed:${person}:${location.pathname}:${form.getAttribute("action")}`;
  const held = (field) => (field.type === "checkbox" || field.type === "radio" ? field.checked : field.value);
  // Fields by name, and by value or place where several share one.
  const fields = (form) => {
    const found = new Map();
    for (const field of form.elements) {
      if (!field.name.startsWith("/") || ["password", "file", "hidden"].includes(field.type)) continue;
      const name = typeof held(field) === "boolean" ? `${field.name}=${field.value}` : field.name;
      let key = name;
      for (let place = 1; found.has(key); place += 1) key = `${name}#${place}`;
      found.set(key, field);
    }
    return found;
  };
  const box = (text, label, act) => {
    const box = document.createElement("p");
    box.className = "notice";
    box.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = label;
    button.addEventListener("click", () => act(box));
    box.append(text, " ", button);
    return box;
  };
  for (const form of person ? document.querySelectorAll("form.fill") : []) {
    const key = kept(form);
    const refused = document.querySelector(".notice.bad") !== null;
    try {
      const stored = JSON.parse(sessionStorage.getItem(key) ?? "null");
      if (stored && !refused && new URLSearchParams(location.search).get("done") === null) {
        const differs = [...fields(form)].some(([name, field]) => name in stored && stored[name] !== held(field));
        if (differs) offer(form, stored);
      } else {
        sessionStorage.removeItem(key);
      }
    } catch {
      sessionStorage.removeItem(key);
    }
    form.addEventListener("input", () => {
      sessionStorage.setItem(key, JSON.stringify(Object.fromEntries([...fields(form)].map(([name, field]) => [name, held(field)]))));
    });
    form.addEventListener("submit", () => sessionStorage.removeItem(key));
  }
  function offer(form, stored) {
    const text = english ? "There is text you had not sent." : "送信していない書きかけの内容があります。";
    form.prepend(box(text, english ? "Restore what I typed" : "書きかけの内容を戻す", (itself) => {
      for (const [name, field] of fields(form)) {
        if (!(name in stored)) continue;
        if (typeof stored[name] === "boolean") field.checked = stored[name];
        else field.value = stored[name];
      }
      itself.remove();
    }));
  }
  // Five minutes before the end: asking for a page, whichever, begins the time anew.
  const warn = () => setTimeout(() => {
    const text = english ? "You will be signed out in five minutes. What you typed is kept." : "あと5分で自動的にサインアウトします。入力中の内容は残ります。";
    document.getElementById("main").prepend(box(text, english ? "Stay signed in" : "サインインを続ける", (itself) => {
      fetch("/menu", { redirect: "manual" }).then((answer) => {
        if (!answer.ok) return location.reload();
        itself.remove();
        warn();
      }).catch(() => {});
    }));
  }, Math.max(Number(idle) - 5, 1) * 60_000);
  if (idle) warn();
  // Without this the service answers a second press all the same; with it nobody wonders whether the first one counted.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("action") === "/sign-out") {
      for (const key of Object.keys(sessionStorage)) if (key.startsWith("typed:")) sessionStorage.removeItem(key);
    }
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    if (form.method === "post") form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
  document.querySelector(".notice.bad[tabindex]")?.focus();
})();
