// Says where no answer came to what a page sent by itself, and leaves what was written where it is.
"use strict";

const unanswered = document.getElementById("unanswered");

function sayUnanswered(words) {
  if (!unanswered) return;
  unanswered.querySelector("p").textContent = words;
  unanswered.hidden = false;
}

for (const event of ["htmx:sendError", "htmx:timeout"])
  document.addEventListener(event, () => sayUnanswered(unanswered?.dataset.gone));
document.addEventListener("htmx:responseError", () => sayUnanswered(unanswered?.dataset.busy));
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && unanswered) unanswered.hidden = true;
});
