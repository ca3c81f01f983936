/* The only script of ours. Pages work without it: it keeps a form from being sent twice, remembers what was typed
   when the window is closed by mistake, and unfolds everything for printing. */
"use strict";
addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method !== "post" || form.dataset.again !== undefined) return;
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) setTimeout(() => { button.disabled = true; });
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button:disabled")) button.disabled = false;
  }
  const wrong = document.querySelector("[aria-invalid=true], .note.stop[tabindex]");
  if (wrong) wrong.focus();
});
for (const all of document.querySelectorAll("[data-all]")) {
  const boxes = [...all.closest("fieldset").querySelectorAll("input[type=checkbox][name]")], own = all.querySelector("input");
  all.hidden = false;
  own.addEventListener("change", () => { for (const box of boxes) box.checked = own.checked; });
}
let touched = false;
addEventListener("input", (event) => { if (event.target.closest("form[data-keep]")) touched = true; });
addEventListener("submit", () => { touched = false; });
addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
