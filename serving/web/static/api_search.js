// Finds calls, fields and codes on the page that describes the API. Without this file all are there.
"use strict";

const form = document.querySelector("#api-search");
const box = form.querySelector("input");
const told = form.querySelector("[role=status]");
const groups = [...document.querySelectorAll("[data-group]")];
const parts = [...document.querySelectorAll("[data-kind]")].map((node) => ({ node, text: textOf(node) }));

// What a part says of itself; the bodies of examples would be found by every field.
function textOf(node) {
  const said = [node.dataset.words, ...[...node.children].map((child) => (child.matches("details") ? "" : child.textContent))];
  return said.join(" ").toLowerCase();
}

function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = { call: 0, field: 0, code: 0 };
  for (const { node, text } of parts) {
    node.hidden = !words.every((word) => text.includes(word));
    if (!node.hidden) found[node.dataset.kind] += 1;
  }
  for (const group of groups) group.hidden = words.length > 0 && !group.querySelector("[data-kind]:not([hidden])");
  const isAny = Object.values(found).some(Boolean);
  const says = isAny ? told.dataset.found.replace(/\{(\w+)\}/g, (_, kind) => found[kind]) : told.dataset.none;
  told.textContent = words.length ? says : "";
}

// A link on the page may lead to what the search hides.
function showAll() {
  const meant = document.getElementById(location.hash.slice(1));
  if (!meant || !meant.closest("[hidden]")) return;
  box.value = "";
  search();
  meant.scrollIntoView();
}

box.addEventListener("input", () => {
  search();
  const address = new URL(location);
  if (box.value) address.searchParams.set("q", box.value);
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
});
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", showAll);
form.hidden = false;
box.value = new URLSearchParams(location.search).get("q") || "";
search();
