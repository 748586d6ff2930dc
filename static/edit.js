// What pages that change the configuration need beyond links and forms; without it everything works, only not by itself.
"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);

  // A question in a dialog: the page that asks it is there as well, for who has no scripts.
  document.addEventListener("htmx:after:swap", () => {
    const dialog = $("#dialog");
    if (dialog.childElementCount && !dialog.open) dialog.showModal();
    $("#wrongs:not([data-seen])")?.focus();
    $("#wrongs")?.setAttribute("data-seen", "");
  });
  document.addEventListener("click", (e) => {
    if (!e.target.closest?.("[data-close]")) return;
    e.preventDefault();
    $("#dialog").close();
  });
  // What is shown once is not kept for the way back.
  addEventListener("pagehide", () => document.querySelectorAll("[data-once]").forEach((one) => { one.textContent = "shown only once"; }));
  // A key that a second press makes nobody would see.
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("[data-single]")) return;
    if (e.target.sent) e.preventDefault();
    e.target.sent = true;
  });
  addEventListener("pageshow", () => document.querySelectorAll("[data-single]").forEach((one) => { one.sent = false; }));
  document.addEventListener("close", () => $("#dialog").replaceChildren(), true);
})();
