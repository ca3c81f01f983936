/* The sample review of frames: unpacks both pictures (enclave/frames/picture.py), draws them in a window, moves them
   together, and keeps the places that a click marks. Everything it sends is in the form's own fields. */
"use strict";
(async () => {
  const at = (id) => document.getElementById(id);
  const { shown, words } = JSON.parse(at("frame").textContent), canvases = ["before", "after"].map(at);
  const count = shown.rows * shown.columns, channels = shown.colour ? 3 : 1;

  const unpacked = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const plain = new Uint8Array(await new Response(stream).arrayBuffer());
    const made = shown.colour ? plain : new Uint16Array(count), row = shown.columns * channels;
    if (!shown.colour) for (let i = 0; i < count; i++) made[i] = plain[i] << 8 | plain[count + i];
    for (let i = 0; i < made.length; i++) if (i % row >= channels) made[i] += made[i - channels];
    return made;
  };
  const before = await unpacked(shown.before), after = await unpacked(shown.after);
  for (let i = 0; i < after.length; i++) after[i] ^= before[i];

  // The window: presets in units of the file, and two sliders.
  const unit = (value) => value * shown.slope + shown.intercept;
  let top = 0;
  for (const values of [before, after]) for (const value of values) if (value > top) top = value;
  const ends = shown.colour ? [0, 255] : [unit(0), unit(top)].sort((a, b) => a - b);
  const span = Math.max(ends[1] - ends[0], Math.abs(shown.slope));
  const presets = { own: shown.own, even: shown.colour ? null : shown.even, full: { center: (ends[0] + ends[1]) / 2, width: span } };
  if (shown.modality === "CT") Object.assign(presets, {
    brain: { center: 40, width: 80 }, soft: { center: 40, width: 400 }, lung: { center: -600, width: 1500 }, bone: { center: 400, width: 1800 },
  });
  const choice = at("window"), center = at("center"), width = at("width"), zoom = at("zoom"), outline = at("outline");
  for (const [name, value] of [...Object.entries(presets), ["hand", {}]]) if (value) choice.add(new Option(words[name], name));
  const step = span > 20 ? 1 : span / 100;
  for (const [slider, low, high] of [[center, ends[0], ends[1]], [width, step, span * 1.5]]) Object.assign(slider, { min: low, max: high, step });

  // What is drawn; sliders take and show it in steps.
  let now = presets.full;
  const table = () => {
    const made = new Uint8ClampedArray(shown.colour ? 256 : top + 1), low = now.center - now.width / 2;
    for (let i = 0; i < made.length; i++) {
      const grey = (unit(i) - low) / now.width * 255;
      made[i] = shown.inverted ? 255 - Math.min(255, Math.max(0, grey)) : grey;
    }
    return made;
  };
  const images = canvases.map((canvas) => {
    canvas.width = shown.columns; canvas.height = shown.rows; canvas.hidden = false;
    return new ImageData(shown.columns, shown.rows);
  });

  // Marked places, kept in the form as lines of kind, row and column of the frame as it is stored.
  const field = at("f-places"), radios = [...document.querySelectorAll("#kinds input")];
  const label = (kind) => (radios.find((radio) => radio.value === kind) || { dataset: { label: kind } }).dataset.label;
  let places = field.value.split("\n").filter(Boolean).map((line) => line.split(" ")).map(([kind, row, column]) => ({ kind, row: +row, column: +column }));
  const down = shown.rows / shown.full[0], across = shown.columns / shown.full[1];

  const draw = () => {
    const grey = table();
    [before, after].forEach((values, side) => {
      const data = images[side].data, brush = canvases[side].getContext("2d");
      for (let i = 0; i < count; i++) {
        data[4 * i] = grey[values[channels * i]];
        data[4 * i + 1] = shown.colour ? grey[values[3 * i + 1]] : data[4 * i];
        data[4 * i + 2] = shown.colour ? grey[values[3 * i + 2]] : data[4 * i];
        data[4 * i + 3] = 255;
      }
      brush.putImageData(images[side], 0, 0);
      const thin = Math.max(1, shown.columns / 512);
      if (outline.checked) {
        brush.lineWidth = thin; brush.strokeStyle = "#ffd400"; brush.setLineDash([4 * thin, 2 * thin]);
        for (const [t, b, l, r] of shown.boxes) brush.strokeRect(l * across, t * down, (r - l) * across, (b - t) * down);
        brush.setLineDash([]);
      }
      if (side === 1) places.forEach((place, number) => {
        const x = place.column * across, y = place.row * down, size = 7 * thin;
        brush.lineWidth = 2 * thin; brush.strokeStyle = "#ff4fd8"; brush.fillStyle = "#ff4fd8"; brush.font = `${11 * thin}px sans-serif`;
        brush.beginPath(); brush.arc(x, y, size, 0, 7); brush.stroke();
        brush.fillText(number + 1, x + size + thin, y + size / 2);
      });
    });
    for (const name of ["center", "width"]) at(`${name}-said`).textContent = Math.round(now[name] * 100) / 100;
  };
  let asked = 0;
  const soon = () => { asked = asked || requestAnimationFrame(() => { asked = 0; draw(); }); };
  const preset = () => {
    const window_ = presets[choice.value];
    if (window_) { now = window_; width.value = now.width; center.value = now.center; }
    soon();
  };
  choice.addEventListener("change", preset);
  for (const slider of [center, width]) slider.addEventListener("input", () => {
    choice.value = "hand"; now = { center: +center.value, width: +width.value }; soon();
  });
  outline.addEventListener("change", soon);

  const views = canvases.map((canvas) => canvas.parentElement);
  zoom.addEventListener("change", () => {
    for (const canvas of canvases) {
      canvas.style.width = +zoom.value ? `${shown.columns * zoom.value}px` : "";
      canvas.classList.toggle("large", +zoom.value > 0);
    }
  });
  views.forEach((view, side) => view.addEventListener("scroll", () => {
    const other = views[1 - side];
    if (other.scrollLeft !== view.scrollLeft) other.scrollLeft = view.scrollLeft;
    if (other.scrollTop !== view.scrollTop) other.scrollTop = view.scrollTop;
  }));

  const counted = (kind) => places.filter((place) => place.kind === kind).length;
  const keep = (kind, was) => {
    const input = document.querySelector(`input[data-kind="${CSS.escape(kind)}"]`);
    if (input && (+input.value <= was || +input.value < counted(kind))) input.value = counted(kind) || "";
    field.value = places.map((place) => `${place.kind} ${place.row} ${place.column}`).join("\n");
    list(); soon();
  };
  const list = () => {
    at("placed").hidden = !places.length;
    at("places-list").replaceChildren(...places.map((place, number) => {
      const item = document.createElement("li"), button = document.createElement("button");
      item.textContent = words.place.replace("%kind", label(place.kind)).replace("%row", place.row).replace("%column", place.column);
      Object.assign(button, { type: "button", className: "plain small", textContent: words.remove });
      button.setAttribute("aria-label", `${words.remove} ${number + 1}`);
      button.addEventListener("click", () => { const was = counted(place.kind); places = places.filter((each) => each !== place); keep(place.kind, was); });
      item.append(button);
      return item;
    }));
  };
  canvases[1].addEventListener("click", (event) => {
    const box = canvases[1].getBoundingClientRect(), kind = radios.find((radio) => radio.checked).value, was = counted(kind);
    const share = (value, size, most) => Math.min(most - 1, Math.max(0, Math.floor(value / size * most)));
    places.push({ kind, row: share(event.clientY - box.top, box.height, shown.full[0]), column: share(event.clientX - box.left, box.width, shown.full[1]) });
    keep(kind, was);
  });

  const turn = (select, by) => {
    select.selectedIndex = Math.min(select.length - 1, Math.max(0, select.selectedIndex + by));
    select.dispatchEvent(new Event("change"));
  };
  const next = () => { choice.selectedIndex = (choice.selectedIndex + 1) % (choice.length - 1); preset(); };
  const KEYS = { o: () => outline.disabled || outline.click(), "+": () => turn(zoom, 1), "=": () => turn(zoom, 1), "-": () => turn(zoom, -1), w: next };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || at("keys-off").checked) return;
    if (event.target.closest("input, select, textarea")) return;
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  for (const id of ["tools", "kinds"]) at(id).hidden = false;
  choice.selectedIndex = 0;
  list(); preset();
})();
