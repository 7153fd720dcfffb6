// What pages do beyond what they do without it: a form's text is kept in this tab while it is written, a button is not
// pressed twice by accident, and whoever is about to be signed out is told so. Nothing depends on it.
"use strict";
(() => {
  const kept = (form) => `typed:${location.pathname}:${form.getAttribute("action")}`;
  const fields = (form) => [...form.elements].filter((field) => field.name.startsWith("/") && !["password", "file", "hidden"].includes(field.type));
  for (const form of document.querySelectorAll("form.fill")) {
    const key = kept(form);
    const refused = document.querySelector(".notice.bad") !== null;
    try {
      const stored = JSON.parse(sessionStorage.getItem(key) ?? "null");
      if (stored && !refused && new URLSearchParams(location.search).get("done") === null) {
        const differs = fields(form).some((field, index) => index in stored && stored[index] !== (field.type === "checkbox" ? field.checked : field.value));
        if (differs) offer(form, key, stored);
      } else {
        sessionStorage.removeItem(key);
      }
    } catch {
      sessionStorage.removeItem(key);
    }
    form.addEventListener("input", () => {
      const values = fields(form).map((field) => (field.type === "checkbox" ? field.checked : field.value));
      sessionStorage.setItem(key, JSON.stringify(values));
    });
    form.addEventListener("submit", () => sessionStorage.removeItem(key));
  }
  function offer(form, key, stored) {
    const english = document.documentElement.lang === "en";
    const box = document.createElement("p");
    box.className = "notice";
    box.setAttribute("role", "status");
    const restore = document.createElement("button");
    restore.type = "button";
    restore.className = "quiet";
    restore.textContent = english ? "Restore what I typed" : "書きかけの内容を戻す";
    restore.addEventListener("click", () => {
      fields(form).forEach((field, index) => {
        if (!(index in stored)) return;
        if (field.type === "checkbox") field.checked = stored[index];
        else field.value = stored[index];
      });
      box.remove();
    });
    box.append(english ? "There is text you had not sent. " : "送信していない書きかけの内容があります。", restore);
    form.prepend(box);
  }
  // Without this the service answers a second press all the same; with it nobody wonders whether the first one counted.
  document.addEventListener("submit", (event) => {
    const form = event.target;
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
