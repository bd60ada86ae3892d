// Keys for what a page offers, and where the focus is after a part of it was replaced.
"use strict";

// What stands in the way of a key: a request whose answer replaces the open case or a part of it.
let pending = null;
let held = null; // the form that was sent before the answer to a first judgement was here
let ignoredAt = -Infinity;
let leftAt = -Infinity; // when the page was left for another, which may take a while to come
const LEAVING_MS = 10000; // by then the page is gone, or the person chose to stay
const PAUSE_MS = 600; // whoever types on while a case is replaced gives the next case no command

function sayOfKeys(name) {
  const place = document.getElementById("of-keys");
  if (!place) return;
  place.textContent = place.dataset[name];
  clearTimeout(sayOfKeys.timer);
  sayOfKeys.timer = setTimeout(() => { place.textContent = ""; }, 4000);
}

function ignore(event) {
  event.preventDefault();
  ignoredAt = event.timeStamp;
  sayOfKeys("ignored");
}

const isLocal = (offered) => offered.type === "radio" || offered.type === "search" || offered.hasAttribute("data-opens");

// Ctrl+K goes to the search box, or to the page of search where a page has none.
function openSearch(event) {
  const box = document.querySelector("input[type=search]");
  if (!box && !document.querySelector("nav a:is([href='/console/queue'], [href='/console/rescues'])")) return;
  event.preventDefault();
  if (box) box.select();
  else location.assign("/console/search");
}

// An element with data-key="c" is followed, pressed or chosen by c.
document.addEventListener("keydown", (event) => {
  if (event.isComposing || !event.target.closest) return;
  const isWriting = event.target.closest("select, textarea, input:not([type=radio], [type=checkbox])");
  const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const isChord = !isSend && (event.ctrlKey || event.metaKey || event.altKey);
  const isTyped = !isChord && (event.key.length === 1 || event.key === "Enter");
  const isTypedOn = event.timeStamp - ignoredAt < PAUSE_MS;
  if (isTyped && !isWriting && (pending?.replaces || held || isTypedOn)) return ignore(event);
  if (isSend) {
    const { form } = event.target;
    if (!form || event.target.matches("button")) return;
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    if (!event.repeat && !button?.disabled) form.requestSubmit(button);
    return;
  }
  if (isChord && event.key === "k" && !event.altKey && !event.shiftKey) return openSearch(event);
  if (isWriting || isChord || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") {
    if (goThroughList(event.key === "j" ? 1 : -1)) event.preventDefault();
    return;
  }
  if (event.repeat) return;
  if (event.key.toLowerCase() === "x" && chooseRow(event.shiftKey)) return event.preventDefault();
  const search = event.key === "/" && document.querySelector("input[type=search]");
  const offered = search || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!offered) return;
  const isLeaving = event.timeStamp - leftAt < LEAVING_MS;
  if ((pending || isLeaving) && !isLocal(offered)) return ignore(event);
  event.preventDefault();
  if (search) return search.select();
  offered.click();
  if (offered.type === "radio") chosen(offered);
  if (offered.hash) document.querySelector(offered.hash)?.focus();
});

// A form that leads to another page is sent once, however often Enter is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.getAttribute("method") !== "post") return;
  if (event.timeStamp - leftAt < LEAVING_MS) {
    event.preventDefault();
    return sayOfKeys("ignored");
  }
  leftAt = event.timeStamp;
});
window.addEventListener("pageshow", () => { leftAt = -Infinity; });

// Requests that show a case, change one, or change many; not what looks for news, or marks a reason.
const isOfCase = (elt, target) =>
  (["open-case", "first-judgement"].includes(target.id) && elt.getAttribute("hx-swap") !== "none") || elt.id === "together";

// One at a time: what is ordered after a first judgement waits for its answer, anything else is not done.
document.addEventListener("htmx:confirm", (event) => {
  const { elt, target, issueRequest } = event.detail;
  if (!pending || !isOfCase(elt, target)) return;
  event.preventDefault();
  if (pending.isJudgement && !held && elt.matches(".act-pane form.fields")) {
    held = { form: elt, at: document.activeElement, issueRequest };
    if (elt.contains(document.activeElement)) document.activeElement.blur();
    elt.inert = true; // it is sent as it is now
    return sayOfKeys("held");
  }
  sayOfKeys("ignored");
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const { elt, target, xhr } = detail;
  if (!isOfCase(elt, target)) return;
  const stays = elt.hasAttribute("data-stays") || target.id === "first-judgement";
  const part = stays ? elt : document.getElementById(target.id);
  pending = { xhr, part, at: document.activeElement, replaces: !stays, isJudgement: target.id === "first-judgement" };
  if (part.contains(document.activeElement)) document.activeElement.blur();
  part.inert = true;
  xhr.addEventListener("loadend", () => {
    if (pending?.xhr === xhr) settle(xhr.status >= 200 && xhr.status < 400);
  });
});

function settle(isDone) {
  const { part, at } = pending;
  pending = null;
  part.inert = false;
  const isLost = document.activeElement === document.body;
  if (isLost && at.isConnected) at.focus({ preventScroll: true });
  if (!held) return;
  const { form, at: heldAt, issueRequest } = held;
  held = null;
  form.inert = false;
  if (isDone && form.isConnected) return issueRequest(true);
  if (heldAt.isConnected) heldAt.focus({ preventScroll: true });
  sayOfKeys("dropped");
}

// What is to be said next: a comment where one is asked for, else the choice itself, which Enter sends.
function chosen(choice) {
  const comment = choice.form.querySelector("textarea");
  (choice.hasAttribute("data-asks") && comment ? comment : choice).focus();
}

function requireWords(choice) {
  choice.form.querySelector("textarea").required = choice.hasAttribute("data-asks");
}

document.addEventListener("change", ({ target }) => {
  if (target.matches(".orders input[type=radio]")) requireWords(target);
});

// The row after (or before) the one with the focus, else the one that is open, else the first.
function goThroughList(step) {
  const rows = [...document.querySelectorAll(".rows .what a")];
  if (!rows.length || !rows[0].offsetParent) return false;
  const from = rows.indexOf(document.activeElement);
  const open = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const at = from >= 0 ? from + step : open >= 0 ? open + step : 0;
  const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
  row.focus();
  row.closest("tr").scrollIntoView({ block: "nearest" });
  return true;
}

// The row with the focus, or the one that is open, is chosen or not any more.
function chooseRow(isSpan) {
  const row = document.activeElement.closest(".rows tr") || document.querySelector(".rows tr.is-open");
  const box = row?.querySelector(".choose");
  if (!box) return false;
  box.checked = isSpan || !box.checked;
  chooseSpan(box, isSpan);
  return true;
}

// With shift, all rows from the one chosen before are chosen like it.
let chosenBefore;
function chooseSpan(box, isSpan) {
  const boxes = [...document.querySelectorAll(".rows .choose")];
  const ends = [boxes.indexOf(chosenBefore), boxes.indexOf(box)].sort((one, other) => one - other);
  if (isSpan && ends[0] >= 0) for (const each of boxes.slice(ends[0], ends[1])) each.checked = box.checked;
  chosenBefore = box;
}

document.addEventListener("click", ({ target, shiftKey }) => {
  if (target.matches?.(".rows .choose")) return chooseSpan(target, shiftKey);
  const opens = target.closest("[data-opens]:not(a)");
  if (opens) document.getElementById(opens.dataset.opens)?.showModal();
});

// All of a shortened id; without a secure connection a browser copies only what is selected.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

document.addEventListener("click", async ({ target }) => {
  const key = target.closest("[data-copies]");
  if (!key) return;
  await copy(key.dataset.copies);
  key.focus({ preventScroll: true });
  sayOfKeys("copied");
});

// The list marks the case that is open.
function markOpen() {
  const open = document.querySelector("#open-case[data-case]");
  for (const row of document.querySelectorAll(".rows tr[data-case]")) {
    const isOpen = row.dataset.case === open?.dataset.case;
    row.classList.toggle("is-open", isOpen);
    const link = row.querySelector(".what a");
    if (isOpen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  return open;
}

// Of a case that was opened in place, the title gets the focus: it is read out, and keys go on there.
// Where somebody writes, the focus stays.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "case-list") restoreDrafts(target, true);
  if (target.closest?.("#first-judgement") && document.activeElement === document.body) target.focus({ preventScroll: true });
  const open = markOpen();
  if (!["open-case", "panes"].includes(target.id) || !open) return; // `panes` where one went back
  document.title = `${open.dataset.title} · Tidegate`;
  hideDoneLater();
  const wasWriting = before.get("open-case")?.place?.isField;
  const isWriting = restorePart(open) || document.activeElement.matches("select, textarea, input:not([type=radio], [type=checkbox])");
  const wrong = open.querySelector("[aria-invalid]");
  const pane = wrong?.closest("[popover]");
  if (pane && !wrong.checkVisibility()) pane.showPopover(); // on a phone what can be done is behind a bar
  if (isWriting) return;
  if (wasWriting) ignoredAt = performance.now(); // the field is gone
  const first = wrong || open.querySelector("[role=alert]");
  if (!first && window.innerWidth < 1024) window.scrollTo(0, 0);
  (first || open.querySelector("#case-title")).focus({ preventScroll: !wrong });
});

let hiding;
function hideDoneLater() {
  const shown = document.querySelector(".act-done");
  clearTimeout(hiding);
  if (shown) hiding = setTimeout(() => shown.remove(), Number(shown.dataset.lasts) * 1000);
}
hideDoneLater();

// What was said of a reason is shown where it was said.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const form = detail.elt.closest?.("form.marks");
  if (!form || !detail.successful) return;
  const said = detail.requestConfig.parameters.verdict ?? detail.requestConfig.formData?.get("verdict");
  for (const button of form.querySelectorAll("button")) {
    if (button.value === said) button.setAttribute("aria-pressed", "true");
    else button.removeAttribute("aria-pressed");
  }
});
