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
  // Whoever types a key means that key.
  document.addEventListener("input", (e) => {
    const radio = $("[type=radio]", e.target.closest?.(".choice") ?? document.createElement("i"));
    if (radio && e.target !== radio && e.target.value) radio.checked = true;
  });
  document.addEventListener("close", () => $("#dialog").replaceChildren(), true);
})();

// Chains
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const now = () => Date.now() + offset;
  let offset = 0; // By how much the server's clock is ahead.

  // A form that stood still while the list was changed is made from the file that the page shows now.
  function settle() {
    const list = $("#entries");
    if (!list) return;
    // What a question has named is what it is about.
    for (const field of $$("input[name=rev]")) if (!field.closest("#dialog")) field.value = list.dataset.rev;
    for (const place of $$("select[data-is]", list)) place.value = place.dataset.is;
    fit();
  }
  // Suggested are models of the provider that is chosen.
  function fit() {
    const provider = $("select[data-models]");
    if (!provider) return;
    for (const option of $$("#models option")) option.disabled = option.dataset.of !== provider.value;
  }
  document.addEventListener("change", (e) => { if (e.target.matches("select[data-models]")) fit(); });

  // What is gone takes the focus with it; the heading of the list is nearest.
  let held = false;
  document.addEventListener("htmx:before:swap", () => { held = document.activeElement !== document.body; });
  document.addEventListener("htmx:after:swap", () => {
    settle();
    if (held && document.activeElement === document.body) $("#h-entries")?.focus();
  });
  document.addEventListener("htmx:finally:request", (e) => {
    const { sourceElement: source, response } = e.detail.ctx ?? {};
    settle();
    if (source?.id === "test-form") htmx.trigger("#entries", "stale");
    if (!(response?.status < 300)) return;
    if (source.id === "add") { source.reset(); fit(); }
    const toast = source.closest(".toast");
    if (toast?.contains(document.activeElement)) $("#h-entries")?.focus();
    toast?.remove();
  });

  document.addEventListener("keydown", (e) => {
    rest = now();
    const row = e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown") && e.target.closest("#entries > li");
    // A closed list of choices opens with these keys.
    if (!row || e.target.tagName === "SELECT") return;
    e.preventDefault();
    const button = $(e.key === "ArrowUp" ? ".up" : ".down", row);
    if (button.getAttribute("aria-disabled") !== "true") button.form.requestSubmit(button);
  });

  // Time goes on: an entry may be ready again, and what can be undone for a while cannot be for ever. Whoever is on the
  // way there by keys, or is there, is waited for.
  let rest = 0, wait = 2, next = 0;
  function tick() {
    for (const toast of $$(".toast[data-for]")) {
      toast.since ??= now();
      if (toast.matches(":hover, :focus-within")) toast.since = now();
      if (now() - Math.max(toast.since, rest) > toast.dataset.for * 1000) toast.remove();
    }
    const part = $("#entries, #cards");
    const over = part && !document.hidden && $$("time[data-until]", part).some((time) => Number(time.dataset.until) <= now());
    if (!over) { wait = 2; return; }
    if (now() < next) return;
    next = now() + wait * 1000;
    wait = Math.min(wait * 2, 60);
    htmx.trigger(part, "stale");
  }

  function start() {
    offset = Number($("meta[name=server-now]").content) - Date.now();
    settle();
    // A link that leads to something folded opens it.
    document.addEventListener("click", (e) => {
      const folded = document.getElementById(e.target.closest?.("[data-opens]")?.dataset.opens);
      if (folded) { folded.open = true; setTimeout(() => $("input:not([type=hidden])", folded).focus()); }
    });
    $("#wrongs")?.focus();
    setInterval(tick, 1000);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
