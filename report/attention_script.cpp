// How a page draws attention: the style, the script and the script's hash of report/attention.h.
#include "report/attention.h"

namespace gradus::report {

std::string_view attention_style() {
    static constexpr std::string_view kStyle = R"(
.attention { display: flex; flex-wrap: wrap; gap: 1rem 1.75rem; align-items: flex-start;
  font-size: 12px; line-height: 1.3; -webkit-print-color-adjust: exact;
  print-color-adjust: exact; }
.attention h4 { flex: 1 0 100%; margin: 0; font-size: 15px; }
.attention select { flex: 0 1 100%; min-width: 0; font: inherit; font-size: 13px;
  padding: .3rem .4rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--line); border-radius: 4px; }
.attention .kinds { display: flex; flex-direction: column; gap: .9rem; }
.attention .heads { display: grid; gap: 3px; justify-items: center; align-items: center;
  justify-content: start; color: var(--soft); font-size: 10px; border: 0; margin: 0; padding: 0; }
.attention legend { color: var(--ink); font-size: 12px; font-weight: 600; padding: 0 0 3px; }
.attention label { position: relative; display: block; cursor: pointer; }
.attention input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
.attention canvas { display: block; color: var(--s0); background: var(--paper);
  image-rendering: pixelated; outline: 1px solid var(--line); }
.attention label:hover canvas { outline-color: var(--ink); }
.attention input:checked + canvas { outline: 2px solid var(--s1); }
.attention input:focus-visible + canvas { outline: 3px solid var(--s1); outline-offset: 1px;
  position: relative; z-index: 1; }
.attention .chosen { flex: 0 1 auto; min-width: 0; max-width: 100%; overflow-x: auto; }
.attention .choice { margin: 0; font-weight: 600; }
.attention .reading { margin: .15rem 0 .4rem; min-height: 1.3em; color: var(--soft); }
.attention .reading b { color: var(--ink); }
.attention table { border-collapse: separate; border-spacing: 1px; font-size: 12px; }
.attention table:focus-visible { outline: 2px solid var(--s1); outline-offset: 2px; }
.attention th, .attention td { padding: 0; border: 0; }
.attention thead th { vertical-align: bottom; white-space: nowrap; color: var(--ink); }
.attention th { font-weight: 400; }
.attention th span { display: block; overflow: hidden; text-overflow: ellipsis; max-width: 110px; }
.attention tbody th { text-align: right; vertical-align: middle; padding-right: 6px;
  white-space: nowrap; }
.attention tbody th span { line-height: 1.1; }
.attention thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-width: none;
  max-height: 110px; margin: 0 auto; padding-top: 5px; line-height: 1.05; }
.attention thead th:first-child { color: var(--soft); font-size: 11px; text-align: right;
  padding-right: 6px; }
.attention th.here { color: var(--s1); font-weight: 600; }
.attention td { position: relative; background: var(--op); text-align: center; font-size: 10px;
  vertical-align: middle; }
.attention td i { position: absolute; inset: 0; background: var(--s0); }
.attention td u { position: relative; text-decoration: none; }
.attention td.strong u { color: var(--paper); }
.attention td.here { outline: 2px solid var(--s1); z-index: 1; }
.attention td.missing { background: repeating-linear-gradient(45deg, var(--paper) 0 3px,
  var(--line) 3px 4px); }
.attention .scale { width: 150px; margin-top: .6rem; color: var(--soft); font-size: 11px; }
.attention .scale i { display: block; height: 9px; border: 1px solid var(--line);
  background: linear-gradient(90deg, var(--op), var(--s0)); }
.attention .scale span { display: flex; justify-content: space-between; }
@media print {
  .attention { break-inside: avoid; }
  .attention .kinds { flex-direction: row; zoom: .9; }
  .attention .hint { display: none; }
  .attention select { border: 0; padding: 0; appearance: none; }
}
)";
    return kStyle;
}

// Text from a corpus only ever becomes text here: no innerHTML. Thumbnails are canvases, whose
// colours do not follow the page's by themselves.
std::string_view attention_script() {
    static constexpr std::string_view kScript = R"js(
"use strict";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const clamp = (x, low, high) => Math.min(Math.max(Math.floor(x), low), high);
const words = (weight) => weight === null ? "not finite" : weight.toFixed(4);

// The weights [layers, heads, rows, columns] of a group; null for what is not finite.
const unpack = (text) => {
  const bytes = atob(text);
  return Array.from({length: bytes.length / 2}, (_, i) => {
    const bits = bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1);
    return bits === 65535 ? null : bits / 65534;
  });
};

class View {
  constructor(root, number) {
    const {title, sentences} = JSON.parse(root.dataset.view);
    this.sentences = sentences;
    this.sentence = sentences[0];
    const groups = this.sentence.groups;
    const last = groups.length - 1;
    this.head = {group: last, layer: groups[last].layers - 1, head: 0};
    this.thumbnails = [];

    root.replaceChildren(make("h4", {textContent: title}));
    if (sentences.length > 1) root.append(this.menu());
    if (groups.some((group) => group.layers * group.heads > 1) || groups.length > 1) {
      root.append(make("div", {className: "kinds"},
        ...groups.map((group, g) => this.heads(group, g, "attention" + number))));
    }
    this.choice = make("p", {className: "choice"});
    this.reading = make("p", {className: "reading"});
    this.reading.setAttribute("aria-live", "polite");
    this.table = make("table", {tabIndex: 0});
    this.listen();
    root.append(make("div", {className: "chosen"}, this.choice, this.reading, this.table,
      make("div", {className: "scale"}, make("i"),
        make("span", {}, ...["0", "0.25", "1"].map((t) => make("span", {textContent: t}))))));
    this.draw();
  }

  menu() {
    const menu = make("select", {ariaLabel: "Sentence"},
      ...this.sentences.map((sentence) => make("option", {textContent: sentence.name})));
    menu.selectedIndex = 0;
    menu.addEventListener("change", () => {
      this.sentence = this.sentences[menu.selectedIndex];
      this.cursor = null;
      this.draw();
    });
    return menu;
  }

  // A row of pictures for each layer, each of them the label of a radio button.
  heads(group, g, name) {
    const size = clamp(236 / group.heads - 3, 14, 44);
    const box = make("fieldset", {className: "heads"});
    box.style.gridTemplateColumns = `12px repeat(${group.heads}, ${size}px)`;
    box.append(make("legend", {textContent: group.name}), make("span"));
    for (let h = 0; h < group.heads; ++h) box.append(make("span", {textContent: h + 1}));
    for (let layer = 0; layer < group.layers; ++layer) {
      box.append(make("span", {textContent: layer + 1}));
      for (let head = 0; head < group.heads; ++head) {
        const at = {group: g, layer, head};
        const title = this.words(at);
        const canvas = make("canvas");
        canvas.style.width = canvas.style.height = size + "px";
        const radio = make("input", {type: "radio", name, ariaLabel: title});
        radio.checked = g === this.head.group && layer === this.head.layer && head === 0;
        radio.addEventListener("change", () => {
          this.head = at;
          this.drawMap();
        });
        this.thumbnails.push({canvas, at});
        box.append(make("label", {title}, radio, canvas));
      }
    }
    return box;
  }

  words({group, layer, head}) {
    const {name, layers, heads} = this.sentence.groups[group];
    return [name, layers > 1 && `layer ${layer + 1}`, heads > 1 && `head ${head + 1}`]
      .filter(Boolean).join(", ");
  }

  weights({group, layer, head}) {
    const g = this.sentence.groups[group];
    g.values ??= unpack(g.weights);
    const size = g.rows.length * g.columns.length;
    return g.values.slice((layer * g.heads + head) * size, (layer * g.heads + head + 1) * size);
  }

  draw() {
    for (const {canvas, at} of this.thumbnails) {
      const {rows, columns} = this.sentence.groups[at.group];
      canvas.width = columns.length;
      canvas.height = rows.length;
      const pen = canvas.getContext("2d");
      pen.fillStyle = getComputedStyle(canvas).color;
      this.weights(at).forEach((weight, i) => {
        pen.globalAlpha = Math.sqrt(weight ?? 0);
        pen.fillRect(i % columns.length, Math.floor(i / columns.length), 1, 1);
      });
    }
    this.drawMap();
  }

  drawMap() {
    const {rows, columns, axes} = this.sentence.groups[this.head.group];
    const weights = this.weights(this.head);
    const size = clamp((this.thumbnails.length ? 400 : 620) / columns.length - 1, 13, 30);
    const cell = (weight, r, c) => {
      const ink = make("i");
      ink.style.opacity = Math.sqrt(weight ?? 0);
      const td = make("td", {title: `${rows[r]} → ${columns[c]}: ${words(weight)}`}, ink);
      td.style.height = size + "px";
      td.className = weight === null ? "missing" : weight > 0.45 ? "strong" : "";
      if (size >= 24 && weight >= 0.005) td.append(make("u", {textContent: weight.toFixed(2)}));
      return td;
    };
    const label = (scope, token) => make("th", {scope, title: token},
      make("span", {textContent: token}));
    const top = make("tr", {}, make("th", {textContent: `${axes[0]} ↓ ${axes[1]} →`}),
      ...columns.map((token) => label("col", token)));
    for (const th of [...top.children].slice(1)) th.style.minWidth = size + "px";
    this.table.replaceChildren(make("thead", {}, top), make("tbody", {},
      ...rows.map((token, r) => make("tr", {}, label("row", token),
        ...columns.map((_, c) => cell(weights[r * columns.length + c], r, c))))));
    this.choice.textContent = this.words(this.head);
    this.table.ariaLabel = this.choice.textContent;
    if (this.cursor) return this.read(...this.cursor);
    this.reading.replaceChildren(make("span", {className: "hint",
      textContent: "Point at a cell, or use the arrow keys."}));
  }

  // Marks a cell and its two tokens, and says what is there.
  read(r, c) {
    const {rows, columns} = this.sentence.groups[this.head.group];
    this.cursor = [r, c] = [clamp(r, 0, rows.length - 1), clamp(c, 0, columns.length - 1)];
    for (const marked of this.table.querySelectorAll(".here")) marked.classList.remove("here");
    const body = this.table.tBodies[0].rows;
    for (const part of [body[r].cells[0], body[r].cells[c + 1],
      this.table.tHead.rows[0].cells[c + 1]]) part.classList.add("here");
    this.reading.replaceChildren(make("b", {textContent: rows[r]}), " → ",
      make("b", {textContent: columns[c]}), ": ",
      make("b", {textContent: words(this.weights(this.head)[r * columns.length + c])}));
  }

  listen() {
    this.table.addEventListener("pointerover", ({target}) => {
      const td = target.closest("td");
      if (td) this.read(td.parentElement.rowIndex - 1, td.cellIndex - 1);
    });
    const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    this.table.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const [r, c] = this.cursor ? [this.cursor[0] + step[0], this.cursor[1] + step[1]] : [0, 0];
      this.read(r, c);
    });
    for (const media of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(media).addEventListener("change", () => this.draw());
    }
  }
}

document.querySelectorAll(".attention").forEach((root, number) => new View(root, number));
)js";
    return kScript;
}

// sha256 of the script above, in base 64. tests/browser/test.sh tells when it is another.
std::string_view attention_script_hash() { return "HAPFcyV+wSoWIYGLEMWESrb2vNtXTLkKeYw/q2asUUc="; }

}  // namespace gradus::report
