/* Sends the chosen files one after the other, each as the body of a PUT; then shows the page anew with what was found. */
"use strict";
addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form) return;
  event.preventDefault();
  const said = form.querySelector("[data-said]"), button = form.querySelector("button");
  button.disabled = true;
  for (const file of form.querySelector("input[type=file]").files) {
    said.textContent = `${file.name} …`;
    const answer = await fetch(form.dataset.upload + encodeURIComponent(file.name), {
      method: "PUT", body: file, headers: { "X-CSRF-Token": form.dataset.token },
    }).catch(() => null);
    if (!answer || !answer.ok) {
      const told = answer ? await answer.json().catch(() => ({})) : {};
      const korean = document.documentElement.lang === "ko";
      said.textContent = `${file.name}: ${(korean ? told.ko : told.en) || (answer ? answer.status : "–")} ${(korean ? told.remedy_ko : told.remedy_en) || ""}`;
      button.disabled = false;
      return;
    }
  }
  location.reload();
});
