/* The desk: puts the watermark over the frame, asks every few seconds whether the screen is locked, and hides the
   workspace while it is. The gate decides; this page shows. */
"use strict";
(() => {
  const body = document.body, at = (id) => document.getElementById(id);
  const frame = at("workspace"), mark = at("mark"), said = at("said"), locked = at("locked"), again = at("again");
  const ASK_MS = 4_000, HERE_MS = 20_000, TILE = [270, 120];
  const BY_SCRIPT = { Accept: "application/json", "X-Ansim-By": "script" };

  /* The watermark. Browser zoom makes the page's pixels larger and the tiles with them; a pinch is counted out. */
  const moment = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Seoul", dateStyle: "short", timeStyle: "short" });
  const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  let drawn = "";
  const draw = () => {
    const view = window.visualViewport, scale = view ? view.scale : 1, time = moment.format(new Date());
    const now = `${body.dataset.mark}|${time}|${scale}`;
    if (!mark.isConnected) body.append(mark);
    if (now === drawn) return;
    drawn = now;
    const [width, height] = TILE.map((side) => side / scale), lines = [body.dataset.mark, `${time} KST`];
    const text = lines.map((line, i) => `<text x="4" y="${48 + 15 * i}">${escaped(line)}</text>`).join("");
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${TILE[0]} ${TILE[1]}">` +
      `<g transform="rotate(-14 135 60)" font-family="sans-serif" font-size="12.5" stroke-width=".35" fill="#000" ` +
      `stroke="#fff" opacity=".17">${text}</g></svg>`;
    mark.style.backgroundImage = `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
    mark.dataset.text = lines.join(" · ");
    if (at("clock")) at("clock").textContent = time;
  };
  draw(); setInterval(draw, 1_000);
  if (window.visualViewport) visualViewport.addEventListener("resize", draw);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && ["p", "s"].includes(event.key.toLowerCase())) event.preventDefault();
  });
  addEventListener("dragstart", (event) => event.preventDefault());
  if (!frame) return;

  /* Which of the three is seen: the workspace, the lock, or the way to sign in again. */
  const title = document.title.split(" · ").slice(-2).join(" · ");
  let seen = "", cameHere = 0;
  const open = () => {
    if (frame.src === "" || frame.src === "about:blank") frame.src = frame.dataset.src;
    cameHere = cameHere || Date.now();
    frame.contentWindow.postMessage({ ansim: "look" }, body.dataset.origin);
  };
  const show = (what, text = "") => {
    if (what === seen) return;
    seen = what;
    frame.hidden = what !== "workspace"; locked.hidden = what !== "locked"; again.hidden = what !== "again";
    at("lock-form").hidden = what !== "workspace";
    document.title = what === "workspace" ? title : `${(what === "locked" ? locked : again).querySelector("h2").textContent} · ${title}`;
    said.textContent = text;
    if (what === "workspace") { open(); frame.focus(); }
    if (what === "locked") (at("unlock-password") || at("unlock-code")).focus();
    if (what === "again") again.querySelector("h2").focus();
  };
  const ask = async () => {
    let answer;
    try { answer = await fetch(body.dataset.state, { headers: BY_SCRIPT, cache: "no-store", redirect: "manual" }); }
    catch { said.textContent = said.dataset.away; return; }
    if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") { show("again"); return; }
    if (!answer.ok) { said.textContent = said.dataset.away; return; }
    const state = await answer.json();
    if (!state.running) { location.reload(); return; }
    at("left").textContent = state.left; at("left").parentElement.hidden = !state.left;
    show(state.locked ? "locked" : lost() ? "again" : "workspace");
  };

  /* The frame says when the gate's seal runs in it. A sign-in that has ended shows nothing in a frame: then we say so. */
  let heard = false;
  const lost = () => !heard && cameHere && Date.now() - cameHere > HERE_MS;
  addEventListener("message", (event) => {
    if (event.origin !== body.dataset.origin || event.source !== frame.contentWindow) return;
    if (event.data && event.data.ansim === "here") { heard = true; if (seen === "again") ask(); }
    if (event.data && event.data.ansim === "locked") ask();
  });

  const send = (form) => fetch(form.action, { method: "POST", headers: BY_SCRIPT, body: new URLSearchParams(new FormData(form)) });
  const error = (text) => { at("lock-error").hidden = !text; at("lock-error").firstElementChild.textContent = text; };
  at("lock-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    show("locked");
    try { await send(event.target); } catch { /* the next question tells */ }
    ask();
  });
  at("unlock-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, button = form.querySelector("button"), korean = document.documentElement.lang === "ko";
    button.disabled = true; error(""); said.textContent = said.dataset.checking;
    try {
      const answer = await send(form);
      if (answer.ok) { form.reset(); show("workspace", said.dataset.opened); }
      else {
        const told = await answer.json();
        error(korean ? `${told.ko} ${told.remedy_ko}` : `${told.en} ${told.remedy_en}`);
        at("unlock-code").value = ""; at("unlock-code").focus();
      }
    } catch { error(said.dataset.away); }
    button.disabled = false;
  });

  show(body.dataset.locked === "1" ? "locked" : "workspace");
  again.querySelector("a").href = location.href;
  setInterval(ask, ASK_MS);
})();
