/* The review page's keyboard. Every key does what a link or a field of the page does too; without this script the page
   works with Tab and Enter alone. Single keys can be turned off (WCAG 2.1.4). */
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const dialog = at("keys"), opener = at("show-keys"), off = at("keys-off"), KEPT = "ansim-no-shortcuts";
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  off.checked = localStorage.getItem(KEPT) === "1";
  off.addEventListener("change", () => localStorage.setItem(KEPT, off.checked ? "1" : "0"));

  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const go = (element) => {
    if (!element) return;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ behavior: calm, block: "center", inline: "center" });
  };
  let file = -1, finding = -1;
  const files = () => all(".file");
  const present = () => {
    const inside = document.activeElement.closest(".file"), list = files();
    return inside ? list.indexOf(inside) : file;
  };
  const step = (list, from, by) => Math.max(0, Math.min(list.length - 1, from + by));
  const moveFile = (by) => {
    const list = files();
    file = step(list, present(), by);
    if (list[file]) { list[file].focus({ preventScroll: true }); list[file].scrollIntoView({ behavior: calm, block: "start" }); }
  };
  const moveFinding = (by) => {
    const list = all("[data-jump]");
    finding = step(list, finding, by);
    if (list[finding]) list[finding].click();
  };
  const turn = (way) => {
    const list = files(), here = list[Math.max(0, present())];
    const piece = document.activeElement.closest(".piece");
    const link = (piece && piece.querySelector(`[data-turn=${way}]`)) || (here && here.querySelector(`[data-turn=${way}]`));
    if (link) link.click();
  };
  const filter = () => {
    const here = files()[Math.max(0, present())];
    go(here && here.querySelector("input[type=search]"));
  };
  const KEYS = {
    j: () => moveFile(1), k: () => moveFile(-1), n: () => moveFinding(1), p: () => moveFinding(-1),
    "]": () => turn("on"), "[": () => turn("back"), "/": filter, d: () => go(at("decide")), "?": () => dialog.showModal(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return;
    const field = event.target.closest("input, select, textarea");
    /* For one frame after it was closed, the help's own switch still has the focus: nobody types there any more. */
    if (field && !dialog.contains(field)) return;
    if (off.checked && event.key !== "?") return;
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  /* A picture counts as shown once it was sent; then the page says so. */
  const told = (image) => {
    const share = image.closest(".file") && image.closest(".file").querySelector("[data-of]");
    if (share) htmx.ajax("GET", share.dataset.of, { target: `#${share.id}`, swap: "outerHTML" });
  };
  for (const image of all(".file img.shown")) {
    if (image.complete) told(image); else image.addEventListener("load", () => told(image));
  }

  /* A finding's place that is on the page already is gone to; otherwise its page is fetched first. */
  addEventListener("click", (event) => {
    const link = event.target.closest("[data-jump]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    finding = all("[data-jump]").indexOf(link);
    const there = at(link.dataset.jump);
    if (!there) return;
    event.preventDefault();
    event.stopPropagation();
    go(there);
  }, true);
  document.addEventListener("htmx:afterSettle", (event) => {
    const asked = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (!asked) return;
    if (asked.dataset.jump) { go(at(asked.dataset.jump)); return; }
    const piece = event.detail.elt.closest ? event.detail.elt.closest(".piece") : null;
    const box = piece && piece.querySelector(".preview-box, pre.lines");
    if (box && (asked.dataset.turn || asked.closest("thead"))) { box.scrollTop = 0; box.focus({ preventScroll: true }); }
  });
})();
