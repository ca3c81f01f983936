/* The gate puts this first into every page of a workspace. It reports that a hand is there, keeps what is copied
   inside, lets nothing be printed or dragged out, and waits quietly while the screen is locked, so that JupyterLab
   goes on where it was. Script from a kernel runs on this origin too and can undo all of it: what must hold, holds in
   the gate and in the portal's page around this frame. */
"use strict";
(() => {
  const facts = JSON.parse(document.currentScript.dataset.facts);
  const base = `/user/${facts.login}/ansim/`;
  const REPORT_MS = 30_000, LOOK_MS = 3_000, CLOSED_FOR_LOCK = 4423, STATUS_LOCKED = 423;
  const realFetch = window.fetch.bind(window), RealSocket = window.WebSocket;
  const tellDesk = (what) => { if (parent !== window) parent.postMessage({ ansim: what }, facts.desk); };
  const post = (name, body) => realFetch(base + name, { method: "POST", body: JSON.stringify(body || {}) });

  /* Waiting while locked. Nothing is lost: requests and sockets begin once the screen is open again. */
  let opened = Promise.resolve(), release = null;
  const isLocked = async () => {
    try { return (await (await realFetch(`${base}state`)).json()).locked === true; } catch { return false; }
  };
  const look = async () => { if (release && !(await isLocked())) unlock(); };
  const unlock = () => {
    document.documentElement.classList.remove("ansim-locked");
    clearInterval(release.timer); const go = release.go; release = null; go();
  };
  const lock = () => {
    if (release) return;
    document.documentElement.classList.add("ansim-locked");
    release = { timer: setInterval(look, LOOK_MS) };
    opened = new Promise((go) => { release.go = go; });
    tellDesk("locked");
  };
  addEventListener("message", (event) => {
    if (event.origin === facts.desk && event.data && event.data.ansim === "look") look();
  });

  window.fetch = async (input, init) => {
    for (;;) {
      await opened;
      const answer = await realFetch(input instanceof Request ? input.clone() : input, init);
      if (answer.status !== STATUS_LOCKED) return answer;
      lock();
    }
  };

  class PatientSocket extends EventTarget {
    constructor(url, protocols) {
      super();
      this.url = String(url); this.readyState = 0; this.protocol = ""; this.extensions = "";
      this.onopen = this.onmessage = this.onerror = this.onclose = null;
      this._kind = "blob"; this._protocols = protocols; this._real = null;
      this._begin();
    }
    get binaryType() { return this._kind; }
    set binaryType(kind) { this._kind = kind; if (this._real) this._real.binaryType = kind; }
    get bufferedAmount() { return this._real ? this._real.bufferedAmount : 0; }
    send(data) {
      if (!this._real || this.readyState === 0) throw new DOMException("not open yet", "InvalidStateError");
      this._real.send(data);
    }
    close(code, reason) {
      if (this.readyState >= 2) return;
      const waiting = !this._real;
      this.readyState = 2;
      if (!waiting) this._real.close(...(code === undefined ? [] : [code, reason]));
      else setTimeout(() => this._end({ code: 1006, reason: "", wasClean: false }));
    }
    _tell(event) {
      const handler = this[`on${event.type}`];
      if (typeof handler === "function") handler.call(this, event);
      this.dispatchEvent(event);
    }
    _end({ code, reason, wasClean }) {
      this.readyState = 3;
      this._tell(new CloseEvent("close", { code, reason, wasClean }));
    }
    async _begin() {
      await opened;
      if (this.readyState !== 0) return;
      const real = this._protocols === undefined ? new RealSocket(this.url) : new RealSocket(this.url, this._protocols);
      let was = false;
      this._real = real; real.binaryType = this._kind;
      real.onopen = () => {
        was = true; this.readyState = 1; this.protocol = real.protocol; this.extensions = real.extensions;
        this._tell(new Event("open"));
      };
      real.onmessage = (event) => this._tell(new MessageEvent("message", { data: event.data, origin: event.origin }));
      real.onclose = async (event) => {
        if (event.code === CLOSED_FOR_LOCK) lock();
        else if (!was && this.readyState === 0 && (await isLocked())) {
          lock(); this._real = null; this._begin(); return;
        }
        if (!was) this._tell(new Event("error"));
        this._end(event);
      };
    }
  }
  for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
    PatientSocket[name] = PatientSocket.prototype[name] = value;
  }
  window.WebSocket = PatientSocket;

  /* A hand is there. */
  let reported = 0;
  const hand = (event) => {
    if (!event.isTrusted || release || Date.now() - reported < REPORT_MS) return;
    reported = Date.now();
    post("active").then((answer) => { if (answer.status === STATUS_LOCKED) lock(); }, () => { reported = 0; });
  };
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    addEventListener(kind, hand, { capture: true, passive: true });
  }

  /* What is copied stays inside; the system's clipboard gets a notice, and what was allowed. */
  const NOTICE = "안심구역 안에서 복사한 내용은 밖에 붙여 넣을 수 없습니다. (Copied inside the enclave; it cannot be pasted outside.)";
  const TEXT = "text/plain", ours = new WeakSet();
  let held = null, marking = false;
  const again = (kind, target, data) => {
    const event = new ClipboardEvent(kind, { clipboardData: data, bubbles: true, cancelable: true, composed: true });
    ours.add(event);
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const field = (target) => target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
  const chosen = (target) => {
    if (!field(target)) return String(document.getSelection());
    return target.value.slice(target.selectionStart ?? 0, target.selectionEnd ?? 0);
  };
  const sha256 = (text) => { /* FIPS 180-4; crypto.subtle cannot be asked while a copy is under way */
    const words = [], K = [], H = [];
    for (let n = 2; K.length < 64; n += 1) {
      let prime = true;
      for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
      if (!prime) continue;
      if (H.length < 8) H.push((Math.sqrt(n) * 2 ** 32) | 0);
      K.push((Math.cbrt(n) * 2 ** 32) | 0);
    }
    const bytes = new TextEncoder().encode(text), size = bytes.length;
    const blocks = new DataView(new ArrayBuffer((((size + 8) >> 6) + 1) * 64));
    bytes.forEach((value, i) => blocks.setUint8(i, value));
    blocks.setUint8(size, 0x80);
    blocks.setUint32(blocks.byteLength - 8, Math.floor(size / 2 ** 29)); blocks.setUint32(blocks.byteLength - 4, size << 3);
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    for (let at = 0; at < blocks.byteLength; at += 64) {
      let [a, b, c, d, e, f, g, h] = H;
      for (let i = 0; i < 64; i += 1) {
        if (i < 16) words[i] = blocks.getInt32(at + 4 * i);
        else {
          const x = words[i - 15], y = words[i - 2];
          const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3), s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
          words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
        }
        const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
        const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
      }
      [a, b, c, d, e, f, g, h].forEach((value, i) => { H[i] = (H[i] + value) | 0; });
    }
    return H.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("");
  };
  const allowed = (text) => {
    const characters = [...text].length;
    if (!characters || characters > facts.clipboard) return false;
    const asked = new XMLHttpRequest(); /* at once: a copy cannot wait, and nothing leaves unrecorded */
    try {
      asked.open("POST", `${base}clipboard`, false);
      asked.send(JSON.stringify({ characters, sha256: sha256(text) }));
    } catch { return false; }
    return asked.status === 200;
  };
  const keep = (entries) => { held = new Map(entries); };
  const copied = (event) => {
    if (ours.has(event) || !event.isTrusted) return;
    event.preventDefault(); event.stopImmediatePropagation();
    let text = held ? held.get(TEXT) || "" : "";
    if (!marking) {
      const target = event.target instanceof Element ? event.target : document.body, data = new DataTransfer();
      if (!again(event.type, target, data)) {
        if (!chosen(target)) return;
        data.setData(TEXT, chosen(target));
        if (event.type === "cut") document.execCommand("delete");
      }
      text = data.getData(TEXT);
      keep([...data.types].map((type) => [type, data.getData(type)]));
    }
    event.clipboardData.clearData();
    event.clipboardData.setData(TEXT, allowed(text) ? text : NOTICE);
  };
  const pasted = (event) => {
    if (ours.has(event) || !event.isTrusted || !held || event.clipboardData.getData(TEXT) !== NOTICE) return;
    event.preventDefault(); event.stopImmediatePropagation();
    const data = new DataTransfer();
    for (const [type, value] of held) data.setData(type, value);
    const target = event.target instanceof Element ? event.target : document.body;
    if (!again("paste", target, data)) document.execCommand("insertText", false, held.get(TEXT) || "");
  };
  addEventListener("copy", copied, true); addEventListener("cut", copied, true); addEventListener("paste", pasted, true);
  const mark = () => { marking = true; try { document.execCommand("copy"); } finally { marking = false; } };
  const refused = () => Promise.reject(new DOMException("closed in the enclave", "NotAllowedError"));
  const inside = {
    writeText: async (text) => { keep([[TEXT, String(text)]]); mark(); },
    readText: async () => (held ? held.get(TEXT) || "" : ""),
    write: async (items) => {
      const found = [];
      for (const item of items) for (const type of item.types) {
        if (type.startsWith("text/") || type.includes("json")) found.push([type, await (await item.getType(type)).text()]);
      }
      if (!found.length) return refused();
      keep(found); mark();
      return undefined;
    },
    read: async () => (held ? [new ClipboardItem(Object.fromEntries(
      [...held].map(([type, value]) => [type, new Blob([value], { type })])))] : refused()),
    addEventListener() {}, removeEventListener() {},
  };
  Object.defineProperty(navigator, "clipboard", { value: inside, configurable: true });

  /* Not dragged out, not printed, not saved from the browser's own menu. */
  addEventListener("dragstart", (event) => { if (event.isTrusted) event.preventDefault(); }, true);
  addEventListener("contextmenu", (event) => event.preventDefault(), true);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "p" && !event.shiftKey) {
      event.preventDefault(); event.stopImmediatePropagation();
    }
  }, true);
  window.print = () => {};

  /* A small mark in the corner; the one that counts lies over this frame. */
  const moment = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Seoul", dateStyle: "short", timeStyle: "short" });
  const label = document.createElement("div");
  label.id = "ansim-seal"; label.setAttribute("aria-hidden", "true");
  const show = () => {
    label.textContent = `${facts.login} · ${facts.project} · ${facts.seat || "-"} · ${moment.format(new Date())} KST`;
    if (!label.isConnected) document.documentElement.append(label);
  };
  addEventListener("DOMContentLoaded", show); setInterval(show, 10_000);
  tellDesk("here");
})();
