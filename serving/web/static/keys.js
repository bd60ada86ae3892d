// Keys for what a page offers: an element with data-key="c" is followed or pressed by c, a field
// is written into.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const offered = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!offered) return;
  event.preventDefault();
  offered.click();
  if (offered.matches("input")) {
    offered.focus();
    offered.select();
  }
  if (offered.hash) document.querySelector(offered.hash)?.focus();
});
