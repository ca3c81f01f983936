// The airlock in JupyterLab, as a prebuilt extension: one container in the form that module federation loads.
// Written by hand, without a bundler: what stands here is what runs. It takes JupyterLab's own modules from the shared
// scope and brings none.
"use strict";

(() => {
  const NAME = "ansim-airlock";
  const POLL_MS = 20_000;
  const shared = { scope: {} };

  async function take(name) {
    const versions = shared.scope[name] || {};
    const version = Object.keys(versions)[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no ${name}`);
    return (await versions[version].get())();
  }

  // Texts: Korean first, English by the switch that the notebook client has, too.
  const WORDS = {
    title: ["반출", "Egress"],
    menu: ["반출 신청… / Request egress…", "Request egress… / 반출 신청…"],
    check: ["파일 점검", "Checks"],
    hint: [
      "파일 목록에서 파일을 오른쪽 단추로 눌러 ‘반출 신청…’을 고르세요.",
      "Right-click files in the file browser and choose “Request egress…”.",
    ],
    checking: ["점검하고 있습니다…", "Checking…"],
    again: ["다시 점검", "Check again"],
    ok: ["제출할 수 있습니다. 반출 여부는 심사자가 정합니다.", "Ready to submit. Reviewers decide."],
    blocked: ["차단된 파일을 고쳐야 제출할 수 있습니다.", "Blocked files must be changed first."],
    nothing: ["문제를 찾지 못했습니다.", "Nothing was found."],
    same: ["스냅샷에서 다시 계산한 값과 모두 같습니다.", "Every number was found again on the snapshot."],
    purpose: ["반출 목적", "Purpose"],
    context: ["내용 설명(무엇을, 어떻게 만들었는지)", "Context (what it is, how it was made)"],
    submit: ["반출 신청", "Request egress"],
    sending: ["신청하고 있습니다…", "Sending…"],
    sent: ["신청했습니다:", "Requested:"],
    mine: ["내 신청", "My requests"],
    none: ["아직 신청이 없습니다.", "No requests yet."],
    queue: ["대기 순서", "place in the queue"],
    due: ["처리 기한", "due"],
    round: ["회차", "round"],
    repaired: ["고친 파일:", "Mended file:"],
    refresh: ["새로 고침", "Refresh"],
    PASS: ["통과", "pass"],
    WARN: ["확인 필요", "look at"],
    BLOCK: ["차단", "blocked"],
  };
  const STATES = {
    draft: ["초안", "draft"],
    submitted: ["심사 중", "under review"],
    returned: ["보완 요청", "returned"],
    approved: ["승인", "approved"],
    rejected: ["반려", "rejected"],
    released: ["반출", "released"],
    withdrawn: ["철회", "withdrawn"],
    expired: ["기한 만료", "expired"],
    recalled: ["회수", "recalled"],
  };
  const REPAIRS = {
    round: ["반올림", "Round"],
    suppress: ["작은 칸 가리기(보조 은닉 포함)", "Suppress small cells (with secondary cells)"],
    regroup: ["범주 합치기", "Merge categories"],
    "strip-outputs": ["출력 지우기", "Strip outputs"],
    "clean-metadata": ["메타데이터 지우기", "Remove metadata"],
    rasterise: ["그림으로 바꾸기", "Turn into a picture"],
    "add-counts": ["인원 열 더하기", "Add counts of people"],
    "add-context": ["설명 덧붙이기", "Add an explanation"],
  };

  const spoken = { at: 0 };
  const say = (pair) => (pair ? pair[spoken.at] : "");
  const word = (key) => say(WORDS[key]) || key;

  // Everything shown is set as text, never as markup: names and findings come from files.
  function element(tag, { text, kind, ...attributes } = {}, ...children) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = `ansim-${kind}`;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.filter(Boolean));
    return made;
  }

  function button(text, act, kind = "") {
    const made = element("button", { text, kind: `button ${kind}`.trim(), type: "button" });
    made.addEventListener("click", act);
    return made;
  }

  class Door {
    constructor(services, coreutils) {
      this.connection = services.ServerConnection;
      this.settings = this.connection.makeSettings();
      this.join = coreutils.URLExt.join;
    }

    async ask(name, body) {
      const url = this.join(this.settings.baseUrl, NAME, name);
      const how = body ? { method: "POST", body: JSON.stringify(body) } : { method: "GET" };
      const answer = await this.connection.makeRequest(url, how, this.settings);
      const told = await answer.json().catch(() => ({}));
      spoken.at = told.language === "en" ? 1 : 0;
      if (answer.ok) return told;
      const said = [told.ko, told.en].map((text) => text || `HTTP ${answer.status}`);
      const remedy = [told.remedy_ko || "", told.remedy_en || ""];
      throw new Error(`${say(said)} ${say(remedy)}`.trim());
    }
  }

  function badge(verdict) {
    return element("span", { text: word(verdict), kind: `badge ansim-${String(verdict).toLowerCase()}` });
  }

  class Checks {
    constructor(door, changed) {
      this.door = door;
      this.changed = changed;
      this.node = element("section", { kind: "checks", "aria-live": "polite" });
      this.paths = [];
      this.show();
    }

    show(...children) {
      this.node.replaceChildren(element("h2", { text: word("check") }), ...children);
      if (!children.length) this.node.append(element("p", { text: word("hint"), kind: "hint" }));
    }

    async look(paths) {
      this.paths = paths;
      this.show(element("p", { text: word("checking"), role: "status" }));
      try {
        const found = await this.door.ask("preflight", { paths });
        this.show(...found.files.map((file, at) => this.file(file, paths[at])), this.sum(found), this.form(found));
      } catch (error) {
        this.show(this.failure(error), button(word("again"), () => this.look(paths)));
      }
    }

    failure(error) {
      return element("p", { text: error.message, kind: "failure", role: "alert" });
    }

    sum(found) {
      return element("p", { text: word(found.ok ? "ok" : "blocked"), kind: "sum" });
    }

    file(file, path) {
      const lines = (file.findings || []).map((one) => this.finding(one, path));
      const same = file.recomputed === "match";
      if (same || !lines.length) lines.push(element("li", { text: word(same ? "same" : "nothing") }));
      const head = element("h3", {}, badge(file.verdict), element("span", { text: file.name }));
      return element("article", { "aria-label": file.name }, head, element("ul", {}, ...lines));
    }

    finding(one, path) {
      const where = [one.place, one.sample].filter(Boolean).join(" · ");
      const line = element("li", {}, badge(one.severity), element("span", { text: say([one.ko, one.en]) }));
      if (where) line.append(element("code", { text: where }));
      for (const how of one.repairs || []) {
        const act = how === "add-context" ? () => this.explain(path, one) : () => this.repair(path, how);
        if (REPAIRS[how]) line.append(button(say(REPAIRS[how]), act, "repair"));
      }
      return line;
    }

    // An explanation is the person's to write: the field of the form is opened for it, with the file and place.
    explain(path, one) {
      const field = this.node.querySelector("textarea[name=context]");
      const name = path.split("/").pop();
      const line = `${name}${one.place ? ` (${one.place})` : ""}: `;
      field.value += `${field.value && !field.value.endsWith("\n") ? "\n" : ""}${line}`;
      field.focus();
    }

    async repair(path, how) {
      try {
        const made = await this.door.ask("repair", { path, how });
        await this.look(this.paths.map((each) => (each === path ? made.path : each)));
        this.node.append(element("p", { text: `${word("repaired")} ${made.path}`, role: "status" }));
      } catch (error) {
        this.node.append(this.failure(error));
      }
    }

    form(found) {
      const purpose = element("textarea", { rows: 2, required: "", name: "purpose" });
      const context = element("textarea", { rows: 3, required: "", name: "context" });
      const send = element("button", { text: word("submit"), kind: "button ansim-submit", type: "submit" });
      send.disabled = !found.ok;
      const form = element("form", { kind: "form" },
        element("label", { text: word("purpose") }, purpose), element("label", { text: word("context") }, context),
        element("div", { kind: "actions" }, send, button(word("again"), () => this.look(this.paths))));
      // The first click asks anew; one after a failure is the same request, if that did arrive.
      const once = { again: true };
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        send.disabled = true;
        this.send(form, send, { purpose: purpose.value, context: context.value, ...once });
        once.again = false;
      });
      return form;
    }

    async send(form, send, said) {
      const waiting = element("p", { text: word("sending"), role: "status" });
      form.append(waiting);
      try {
        const made = await this.door.ask("submit", { paths: this.paths, ...said });
        this.show(element("p", { text: `${word("sent")} ${made.id}`, kind: "sum", role: "status" }));
        this.changed();
      } catch (error) {
        waiting.replaceWith(this.failure(error));
        send.disabled = false;
      }
    }
  }

  class Mine {
    constructor(door) {
      this.door = door;
      this.list = element("ul", { kind: "requests" });
      this.node = element("section", {});
      this.draw([]);
    }

    draw(requests) {
      const rows = requests.map((one) => this.row(one));
      if (!rows.length) rows.push(element("li", { text: word("none"), kind: "hint" }));
      this.list.replaceChildren(...rows);
      const head = element("h2", { text: word("mine") });
      this.node.replaceChildren(head, this.list, button(word("refresh"), () => this.refresh()));
    }

    row(one) {
      const facts = [`${one.round} ${word("round")}`];
      if (one.queue_position) facts.push(`${word("queue")} ${one.queue_position}`);
      if (one.due_on) facts.push(`${word("due")} ${one.due_on}`);
      return element("li", { "data-request": one.id },
        element("strong", { text: say(STATES[one.state]) || one.state }),
        element("span", { text: one.purpose || one.id }),
        element("small", { text: `${one.id} · ${facts.join(" · ")}` }));
    }

    async refresh() {
      try {
        this.draw((await this.door.ask("requests")).requests);
      } catch (error) {
        this.list.replaceChildren(element("li", { text: error.message, kind: "failure", role: "alert" }));
      }
    }
  }

  async function activate(app, files) {
    const [{ Widget }, services, coreutils] = await Promise.all(
      ["@lumino/widgets", "@jupyterlab/services", "@jupyterlab/coreutils"].map(take));
    const door = new Door(services, coreutils);
    const style = element("link", { rel: "stylesheet" });
    style.href = coreutils.URLExt.join(door.settings.baseUrl, "lab/extensions", NAME, "static/panel.css");
    document.head.append(style);

    const mine = new Mine(door);
    const checks = new Checks(door, () => mine.refresh());
    const panel = new Widget();
    panel.id = NAME;
    panel.addClass("ansim-panel");
    panel.title.label = word("title");
    panel.title.caption = "반출 신청 / Egress requests";
    panel.node.append(checks.node, mine.node);
    app.shell.add(panel, "right", { rank: 600 });
    app.restored.then(() => mine.refresh());
    setInterval(() => panel.isVisible && !document.hidden && mine.refresh(), POLL_MS);

    app.commands.addCommand(`${NAME}:request`, {
      label: () => word("menu"),
      execute: () => {
        const browser = files.tracker.currentWidget;
        const chosen = browser ? [...browser.selectedItems()] : [];
        const paths = chosen.filter((item) => item.type !== "directory").map((item) => item.path);
        app.shell.activateById(panel.id);
        return paths.length ? checks.look(paths) : checks.show();
      },
    });
    app.contextMenu.addItem({
      command: `${NAME}:request`,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 2,
    });
  }

  async function extension() {
    const { IFileBrowserFactory } = await take("@jupyterlab/filebrowser");
    const plugin = { id: `${NAME}:plugin`, autoStart: true, requires: [IFileBrowserFactory], activate };
    return () => ({ __esModule: true, default: [plugin] });
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => { shared.scope = scope; },
    get: (module) => (module === "./extension" ? extension() : Promise.reject(new Error(`no ${module} here`))),
  };
})();
