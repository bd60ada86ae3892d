// Keys for what a page offers, and where the focus is after a part of it was replaced.
"use strict";

// An element with data-key="c" is followed, pressed or chosen by c.
document.addEventListener("keydown", (event) => {
  const isWriting = event.target.closest("select, textarea, input:not([type=radio], [type=checkbox])");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
    event.preventDefault();
    event.target.form.requestSubmit(event.target.form.querySelector("[type=submit]"));
    return;
  }
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") {
    if (goThroughList(event.key === "j" ? 1 : -1)) event.preventDefault();
    return;
  }
  if (event.key.toLowerCase() === "x" && chooseRow(event.shiftKey)) return event.preventDefault();
  const search = event.key === "/" && document.querySelector("input[type=search]");
  const offered = search || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!offered) return;
  event.preventDefault();
  if (search) return search.select();
  offered.click();
  if (offered.type === "radio") chosen(offered);
  if (offered.hash) document.querySelector(offered.hash)?.focus();
});

// What is to be said next: a comment where one is asked for, else the choice itself, which Enter sends.
function chosen(choice) {
  const comment = choice.form.querySelector("textarea");
  (choice.hasAttribute("data-asks") && comment ? comment : choice).focus();
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches(".orders input[type=radio]")) return;
  target.form.querySelector("textarea").required = target.hasAttribute("data-asks");
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
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const open = markOpen();
  if (detail.target?.id !== "open-case" && detail.elt?.id !== "open-case") return;
  if (!open) return;
  document.title = `${open.dataset.title} · Tidegate`;
  open.scrollTop = 0;
  if (window.innerWidth < 1024) window.scrollTo(0, 0);
  const wrong = open.querySelector("[aria-invalid]");
  const pane = wrong?.closest("[popover]");
  if (pane && !wrong.checkVisibility()) pane.showPopover(); // on a phone what can be done is behind a bar
  (wrong || open.querySelector("[role=alert]") || open.querySelector("#case-title")).focus({ preventScroll: !wrong });
  hideDoneLater();
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
