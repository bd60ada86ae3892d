// Keeps what was typed: while parts of a page are replaced, and until it is sent or the page is left.
"use strict";

const drafts = new Map(); // of each form, by its address: the fields as they were typed or chosen
const WORDS = "textarea, input:not([type=radio], [type=checkbox])";
const isKept = (form) => form?.closest("#open-case, #case-list") || form?.querySelector("textarea");

const addressOf = (form) => (form.getAttribute("action") ?? "").split("?")[0];

// Two forms with one address differ in a hidden field.
function draftKey(form) {
  const hidden = [...form.querySelectorAll("input[type=hidden]")].filter(({ name }) => !["form_token", "shown"].includes(name));
  return JSON.stringify([addressOf(form), ...hidden.map(({ name, value }) => [name, value])]);
}

const revisionOf = (form) => form.querySelector("input[name=shown]")?.value;

function keepDraft(form) {
  const fields = [...form.elements].filter((field) => field.name && !["hidden", "password", "file", "submit"].includes(field.type));
  const values = fields
    .filter((field) => (["radio", "checkbox"].includes(field.type) ? field.checked : field.value !== ""))
    .map(({ name, value, type }) => ({ name, value, type }));
  const key = draftKey(form);
  const isNew = (field) => field.value !== field.defaultValue || drafts.get(key)?.hasWords; // not what a page came with
  const hasWords = [...form.querySelectorAll("textarea")].some((field) => field.value.trim() && isNew(field));
  drafts.set(key, { values, hasWords, revision: revisionOf(form) });
  window.onbeforeunload = hasUnsentWords() ? (event) => event.preventDefault() : null;
}

function forgetDraft(form) {
  drafts.delete(draftKey(form));
  if (!hasUnsentWords()) window.onbeforeunload = null;
}

const hasUnsentWords = () => [...drafts.values()].some(({ hasWords }) => hasWords);

// A choice made before the case changed is to be made again; the words stay.
function fillIn(form, { values, revision }, isInPlace) {
  const mayChoose = revision === revisionOf(form) || (isInPlace && !document.getElementById("refused"));
  for (const { name, value, type } of values) {
    for (const field of form.elements) {
      if (field.name !== name || field.type !== type) continue;
      if (field.matches(WORDS)) field.value = value;
      else if (!mayChoose) continue;
      else if (field.type.startsWith("select")) field.value = value;
      else if (field.value === value) field.checked = true;
      else continue;
      for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    }
  }
  const choice = form.querySelector(".order input:checked");
  if (choice) requireWords(choice);
}

function restoreDrafts(within, isInPlace) {
  for (const form of within.querySelectorAll("form")) {
    const draft = isKept(form) && drafts.get(draftKey(form));
    if (draft) fillIn(form, draft, isInPlace);
  }
  moveToNote(within);
}

// Words whose form the case has no more are offered as a note.
function moveToNote(within) {
  const note = within.querySelector("form[action*='/notes'] textarea");
  if (!note) return;
  const forms = [...within.querySelectorAll("form")].map(addressOf);
  const start = addressOf(note.form).replace(/notes$/, "");
  for (const [key, { values, hasWords }] of drafts) {
    const [address] = JSON.parse(key);
    if (!hasWords || !address.startsWith(start) || forms.includes(address)) continue;
    const words = values.filter(({ type }) => type === "textarea").map(({ value }) => value).join("\n");
    if (!note.value.includes(words)) note.value = [note.value, words].filter(Boolean).join("\n");
    drafts.delete(key);
    drafts.set(draftKey(note.form), { hasWords });
    keepDraft(note.form);
    for (let fold = note.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }
}

// Where somebody is in a part that is about to be replaced.
function placeIn(part) {
  const at = document.activeElement;
  if (!at || !part.contains(at)) return null;
  const form = at.form && at.name ? draftKey(at.form) : null;
  if (!form && !at.id && !at.hasAttribute("href")) return null;
  const isText = at.matches(WORDS) && at.selectionStart !== null;
  return {
    same: (other) =>
      other.tagName === at.tagName && other.id === at.id && other.getAttribute("href") === at.getAttribute("href") &&
      (!form || (other.name === at.name && other.form && draftKey(other.form) === form && (other.type !== "radio" || other.value === at.value))),
    isField: at.matches("input, select, textarea"),
    selection: isText ? [at.selectionStart, at.selectionEnd] : null,
  };
}

function goBackTo(part, place) {
  const found = place && [...part.querySelectorAll("a[href], input, select, textarea, button")].find(place.same);
  if (!found) return false;
  found.focus({ preventScroll: true });
  if (place.selection) found.setSelectionRange(...place.selection);
  return document.activeElement === found;
}

const foldName = (fold) => fold.querySelector("summary > h2, summary > .h2")?.textContent ?? fold.querySelector("summary")?.textContent;

// What a part of the page was like just before it was replaced.
const before = new Map();

function rememberPart(part) {
  const folds = new Set([...part.querySelectorAll("details[open]")].map(foldName));
  const acts = part.querySelector("#acts");
  before.set(part.id, {
    case: part.dataset.case,
    place: placeIn(part),
    folds,
    scroll: part.scrollTop,
    isActing: Boolean(acts?.matches(":popover-open")),
  });
}

// Puts back what was there; true where somebody goes on in the field where they were.
function restorePart(part) {
  const was = before.get(part.id);
  before.delete(part.id);
  const isInPlace = Boolean(was) && was.case === part.dataset.case;
  restoreDrafts(part, isInPlace);
  if (was && !isInPlace && [...drafts].some(([key, { hasWords }]) => hasWords && key.includes(`/${was.case}/`))) sayOfKeys("kept");
  if (!isInPlace) return false;
  for (const fold of part.querySelectorAll("details")) if (was.folds.has(foldName(fold))) fold.open = true;
  if (was.isActing) part.querySelector("#acts")?.showPopover();
  part.scrollTop = was.scroll;
  if (goBackTo(part, was.place)) return was.place.isField;
  return Boolean(was.place?.isField) && goOnInNote(part);
}

// Whoever was writing in a form that is gone goes on in the note that has the words.
function goOnInNote(part) {
  const note = part.querySelector("form[action*='/notes'] textarea");
  if (!note?.value) return false;
  note.focus();
  note.setSelectionRange(note.value.length, note.value.length);
  return document.activeElement === note;
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, ({ target }) => {
    if (isKept(target.form)) keepDraft(target.form);
  });
}

document.addEventListener("submit", (event) => {
  // What is sent as a whole page is left with its words, and asks for no leave.
  if (!event.defaultPrevented && isKept(event.target)) forgetDraft(event.target);
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { target, requestConfig, xhr } = detail;
  const form = requestConfig.elt.matches("form") && requestConfig.verb === "post" ? requestConfig.elt : null;
  const at = document.activeElement;
  if (target === document.body && at.matches("textarea") && at.form !== form) {
    detail.shouldSwap = false; // a page to sign in would take the place of what somebody writes
    sayUnanswered(xhr.status === 401 ? document.getElementById("session-end").dataset.ended : document.getElementById("unanswered").dataset.busy);
    return;
  }
  if (form && (xhr.status < 400 || target === document.body)) forgetDraft(form);
  if (target.id === "open-case") rememberPart(target);
  if (target.id === "case-list") drafts.delete(JSON.stringify(["/console/queue/together"])); // it is another list
});

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "case-list") return;
  for (const form of detail.target.querySelectorAll("form")) if (form.matches("#together, .search, .filters") || drafts.has(draftKey(form))) keepDraft(form);
  rememberPart(detail.target);
});

document.addEventListener("htmx:oobAfterSwap", ({ target }) => {
  if (target.id === "case-list") restorePart(target);
});
