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
  document.addEventListener("close", () => $("#dialog").replaceChildren(), true);
})();
