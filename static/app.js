// What pages need beyond links and forms; without it everything works, only not by itself.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const on = (name, then) => document.addEventListener(name, then);
  let offset = 0; // By how much the server's clock is ahead.

  // Times

  // The same as `left` in words.rs.
  function left(ms) {
    const s = Math.ceil(ms / 1000), two = (n) => String(n).padStart(2, "0");
    if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
    if (s < 172800) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
  }
  function tick() {
    const now = Date.now() + offset;
    for (const time of $$("time[data-until]")) {
      const rest = Number(time.dataset.until) - now;
      time.textContent = rest > 0 ? left(rest) : "checking…";
    }
    const button = $("button[data-wait]");
    if (button) {
      const until = (button.until ??= Date.now() + Number(button.dataset.wait) * 1000);
      button.disabled = Date.now() < until;
      if (!button.disabled) button.removeAttribute("data-wait");
    }
  }
  function localise(from) {
    const today = new Date().toDateString();
    for (const time of $$("time[data-local]", from)) {
      const at = new Date(time.dateTime);
      time.removeAttribute("data-local");
      if (isNaN(at)) continue;
      const clock = at.toLocaleTimeString([], { hour12: false });
      time.textContent = at.toDateString() === today ? clock : `${at.toLocaleDateString([], { month: "short", day: "numeric" })} ${clock}`;
      time.title = time.dateTime;
    }
    for (const time of $$("time[data-tick]", from)) {
      const at = new Date(time.dateTime);
      time.removeAttribute("data-tick");
      if (/^\d\d:\d\d$/.test(time.textContent)) time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    }
  }

  // Messages

  function toast(text, retry) {
    const box = document.createElement("div");
    box.className = "toast";
    box.setAttribute("role", "alert");
    const p = document.createElement("p");
    p.textContent = text;
    box.append(p);
    const button = (more) => box.append(Object.assign(document.createElement("button"), { type: "button", ...more }));
    button({ textContent: "Retry", onclick: () => { box.remove(); retry(); } });
    button({ className: "quiet", textContent: "×", ariaLabel: "Dismiss", onclick: () => box.remove() });
    $("#toasts").replaceChildren(box);
  }
  const queue = [];
  let speaking = 0;
  function say(text) {
    if (text) queue.push(text);
    const wait = speaking + 5000 - Date.now();
    if (!queue.length || wait > 0) { if (queue.length) setTimeout(say, wait); return; }
    speaking = Date.now();
    $("#announce").textContent = queue.splice(0, queue.length).slice(-3).join(". ");
  }

  // News

  function chip(state) {
    const chip = $("#live-chip");
    if (!chip || chip.dataset.state === state) return;
    chip.dataset.state = state;
    $("span", chip).textContent = state === "lost" ? "reconnecting…" : state;
  }
  function toLogin() { location.href = `/ui/login?next=${encodeURIComponent(location.pathname + location.search)}`; }
  const states = new Map();
  function noteStates(speak) {
    for (const row of $$("#limits tr[data-state]")) {
      const before = states.get(row.id), state = row.dataset.state;
      states.set(row.id, state);
      if (!speak || !before || before === state) continue;
      const back = $(".back time", row);
      say(`${row.dataset.name} is ${state}${back ? `, back in ${back.textContent}` : ""}`);
    }
  }
  on("htmx:sse:after:connection", (e) => { if (e.target.id === "live") chip("live"); });
  on("htmx:sse:before:connection", (e) => { if (e.target.id === "live" && e.detail.connection?.attempt > 0) chip("lost"); });
  on("htmx:sse:error", (e) => { if (e.target.id !== "live") return; chip("lost"); if (e.detail.status === 401) toLogin(); });
  on("htmx:sse:after:message", () => {
    const told = Number($("#clock data")?.value);
    if (told) offset = told - Date.now();
    settle();
    noteStates(true);
  });
  // Of six connections that a browser has for a host, tabs that nobody sees take none.
  function goLive() { if ($("#live") && !document.hidden) htmx.trigger("#live", "live:retry"); }
  on("visibilitychange", () => { if ($("#live")) chip(document.hidden ? "paused" : "lost"); goLive(); });
  const retryLive = () => setTimeout(goLive, 1500);

  // The log: newcomers wait in a hidden table, so that nothing moves under the pointer.

  const MOST = 200;
  function settle() {
    const fresh = $("#log-new");
    if (!fresh) return;
    for (const row of $$("tbody", fresh)) if ($$(`[id="${CSS.escape(row.id)}"]`).length > 1) row.remove();
    const waiting = $$("tbody", fresh), button = $("#log-fresh");
    while (waiting.length > MOST) waiting.pop().remove();
    if (waiting.length && (!$("#log .req") || $("#follow").checked)) return showFresh();
    button.hidden = !waiting.length;
    button.textContent = `${waiting.length} new`;
  }
  function showFresh() {
    const rows = $$("#log-new tbody");
    $("#log thead").after(...rows);
    $$("#log .req").slice(MOST).forEach((row) => row.remove());
    $("#log-region").hidden = false;
    $("#log-empty")?.remove();
    $("#log-fresh").hidden = true;
    localise($("#log"));
  }
  function toggle(link) {
    const body = link.closest("tbody"), open = link.getAttribute("aria-expanded") === "true";
    link.setAttribute("aria-expanded", String(!open));
    const detail = $(".detail", body);
    if (detail) detail.hidden = open;
    else htmx.ajax("GET", link.getAttribute("href"), { source: link, target: body, swap: "beforeend" });
  }

  // What is pressed

  on("click", (e) => {
    const hit = (selector) => e.target.closest?.(selector);
    let it;
    if ((it = hit("[data-dismiss]"))) it.closest(".toast").remove();
    else if ((it = hit("[data-show]"))) {
      const field = document.getElementById(it.dataset.show), shown = field.type === "text";
      field.type = shown ? "password" : "text";
      it.setAttribute("aria-pressed", String(!shown));
      it.textContent = shown ? "Show" : "Hide";
      field.focus();
    } else if ((it = hit("[data-copy]"))) copy(it);
    else if ((it = hit(".opener")) && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); toggle(it); }
    else if (hit("#log-fresh")) { showFresh(); const region = $("#log-region"); region.scrollTop = 0; region.focus(); }
    else if (hit("#pg-stop")) stop();
  });
  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    try { await navigator.clipboard.writeText(text); } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  }
  on("change", (e) => {
    if (e.target.id === "follow" && e.target.checked) showFresh();
    if (e.target.closest(".filters select")) e.target.form.requestSubmit();
  });
  on("submit", (e) => {
    if (e.target.id !== "theme-form") return;
    e.preventDefault();
    const button = $("button", e.target), themes = ["system", "dark", "light"];
    const theme = button.value, next = themes[(themes.indexOf(theme) + 1) % 3];
    document.cookie = `theme=${theme === "system" ? "" : theme}; path=/ui; samesite=strict; max-age=${theme === "system" ? 0 : 31536000}`;
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    button.value = next;
    $("span", button).textContent = theme;
  });

  // Playground

  let asking = false;
  const busy = (is) => {
    asking = is;
    $("#pg-stop").disabled = !is;
    $("#pg-out").setAttribute("aria-busy", String(is));
  };
  function stop() {
    if (!asking) return;
    htmx.trigger("#pg-form", "htmx:abort");
    busy(false);
    $("#pg-trail .busy")?.remove();
    $("#pg-outcome").textContent = "stopped by you";
    say("Stopped");
  }
  on("htmx:before:request", (e) => { if (e.target.id === "pg-form") busy(true); });
  on("htmx:finally:request", (e) => { if (e.target.id === "pg-form") busy(false); });
  on("keydown", (e) => {
    if (!$("#pg-form")) return;
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); $("#pg-form").requestSubmit($("button.send")); }
    else if (e.key === "Escape") stop();
  });

  // Failures

  on("htmx:response:error", (e) => {
    const { ctx } = e.detail, status = ctx.response.status;
    if (ctx.sourceElement.id === "live") { chip("lost"); if (status !== 401) retryLive(); return; }
    if (status >= 500) toast(`The server did not answer (${status}).`, () => again(ctx));
  });
  on("htmx:error", (e) => {
    const ctx = e.detail.ctx;
    if (!ctx) return;
    if (ctx.sourceElement?.id === "live") { chip("lost"); retryLive(); } else toast("The server did not answer.", () => again(ctx));
  });
  function again({ sourceElement: it }) { it.tagName === "FORM" ? it.requestSubmit() : it.click(); }
  on("htmx:after:swap", () => localise(document));

  function start() {
    offset = Number($("meta[name=server-now]").content) - Date.now();
    localise(document);
    tick();
    setInterval(tick, 1000);
    noteStates(false);
    // Older rows come when somebody scrolls to their end.
    const more = $("#log-region");
    more?.addEventListener("scroll", () => {
      const link = $("#log-more a[hx-get]");
      if (link && !link.asked && more.scrollTop > 0 && more.scrollTop + more.clientHeight > more.scrollHeight - 40) { link.asked = true; link.click(); }
    }, { passive: true });
    if ($("#wrong")) $("#key").focus();
    setTimeout(goLive);
  }
  if (document.readyState === "loading") on("DOMContentLoaded", start); else start();
})();
