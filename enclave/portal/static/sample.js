/* The sample review's keyboard: j saves and goes on, k goes back, m goes to the marks. Each key does what a button or a
   link of the page does; the page works without this script. Single keys can be turned off (WCAG 2.1.4). */
"use strict";
(() => {
  const at = (id) => document.getElementById(id), off = at("keys-off"), KEPT = "ansim-no-shortcuts";
  off.checked = localStorage.getItem(KEPT) === "1";
  off.addEventListener("change", () => localStorage.setItem(KEPT, off.checked ? "1" : "0"));
  const KEYS = {
    j: () => at("save").click(), k: () => at("back") && at("back").click(),
    m: () => document.querySelector(".counts input").focus(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || off.checked) return;
    if (event.target.closest("input, select, textarea")) return;
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
