// What stands round the picture: tools, labels in its corners, the list of keys. Built from nodes and text only.
"use strict";

import { KEYS } from "./keys.js";

const MODES = [["source", "Original", "1"], ["soft", "Soft tissue", "2"], ["wipe", "Wipe", "3"], ["bone", "Bone", "4"]];
let numbered = 0;

export function build(element, viewer, sources, options) {
  const derived = options.derivedLabel ?? "Soft tissue, derived";
  const id = `rv-${(numbered += 1)}`;
  element.classList.add("rv");
  const compares = Boolean(sources.soft);

  const modes = MODES.filter(([name]) => compares || name === "source").map(([name, label, key]) =>
    button(label, () => viewer.show(name), { "data-mode": name, title: `${label} (${key})`, "aria-pressed": "false" }));
  const tools = [["window", "Window"], ["pan", "Pan"], ["zoom", "Zoom"]].map(([name, label]) =>
    button(label, () => viewer.setTool(name), { "data-tool": name, "aria-pressed": "false", title: `Drag: ${label.toLowerCase()}` }));
  const preset = node("select", { id: `${id}-preset` });
  const over = node("select", { id: `${id}-overlay` });
  const opacity = node("input", { type: "range", id: `${id}-opacity`, min: "0.1", max: "1", step: "0.05", value: "0.6", "aria-label": "Overlay strength" });
  const wipe = node("input", { type: "range", min: "0", max: "1", step: "0.005", value: "0.5", "aria-label": "Wipe: original on the left of it, soft tissue on the right" });
  over.append(...["none", "bone", ...(sources.spread ? ["spread"] : [])].map((name) => node("option", { value: name }, { none: "No overlay", bone: "Bone overlay", spread: "Spread overlay" }[name])));
  preset.addEventListener("change", () => { viewer.usePreset(viewer.presets()[Number(preset.value)].window); preset.blur(); });
  over.addEventListener("change", () => { viewer.setOverlay(over.value); over.blur(); });
  opacity.addEventListener("input", () => viewer.setOverlay(over.value, Number(opacity.value)));
  wipe.addEventListener("input", () => viewer.setWipe(Number(wipe.value)));
  const invert = button("Invert", () => viewer.invert(), { "aria-pressed": "false", title: "Invert (I)" });

  const help = node("dialog", { class: "rv-help", "aria-label": "Keys of the viewer" });
  const list = node("dl", {});
  for (const [key, what] of KEYS) list.append(node("dt", {}, node("kbd", {}, key)), node("dd", {}, what));
  help.append(node("h2", {}, "Keys"), list,
    node("p", {}, "Drag: window (sideways: width, up and down: level). Middle button or Shift: pan. Wheel: zoom, after a click into the picture. Double click: as it was sent, whole image."),
    button("Close", () => help.close(), { autofocus: "" }));

  const canvas = node("canvas", { class: "rv-picture" });
  const overlay = node("canvas", { class: "rv-marks" });
  const label = node("p", { class: "rv-label" });
  const labelRight = node("p", { class: "rv-label rv-right" });
  const numbers = node("p", { class: "rv-numbers" });
  const legend = node("p", { class: "rv-legend" });
  const caution = node("p", { class: "rv-caution" }, "Research, not a medical device. The soft tissue image is derived: read it beside the original.");
  const wait = node("p", { class: "rv-wait" }, "Loading the images …");
  const surface = node("div", { class: "rv-surface", tabindex: "0", role: "img", "aria-label": "Radiograph; ? lists the keys" });
  surface.append(canvas, overlay, label, labelRight, numbers, legend, wait);
  const readout = node("p", { class: "rv-readout" });
  const said = node("p", { class: "rv-said", role: "status", "aria-live": "polite" });
  const bar = node("div", { class: "rv-bar", role: "toolbar", "aria-label": "Viewer" });
  bar.append(group("Shown", ...modes), group("Drag", ...tools),
    group("Window", field("Preset", preset), invert),
    ...(compares ? [group("Overlay", field("Overlay", over), opacity)] : []),
    group("Size", button("Fit", () => viewer.fit(), { title: "Whole image (0)" }), button("1:1", () => viewer.actualSize(), { title: "Pixel for pixel (X)" }),
      button("Enlarge", () => panel.enlarge(), { title: "Fill the window (F)" }), button("?", () => panel.help(), { "aria-label": "Keys" })));
  element.replaceChildren(bar, surface, ...(compares ? [node("div", { class: "rv-wipe", hidden: "" }, wipe)] : []), readout, said, ...(compares ? [caution] : []), help);

  let spoken = "";
  const panel = {
    canvas, overlay, surface,
    read(text) { readout.textContent = text; },
    loaded() {
      wait.remove();
      preset.append(...viewer.presets().map(({ name }, index) => node("option", { value: String(index) }, name)), node("option", { value: "own", hidden: "" }, "set by hand"));
      element.dataset.ready = "true";
    },
    fail(error) {
      wait.textContent = `The images cannot be shown: ${error.message}`;
      wait.classList.add("rv-failed");
    },
    update() {
      const { mode, window, view, overlay: chosen, inverted, wipe: share } = viewer.state;
      if (!window || !view) return;
      for (const each of modes) each.setAttribute("aria-pressed", String(each.dataset.mode === mode));
      for (const each of tools) each.setAttribute("aria-pressed", String(each.dataset.tool === viewer.tool));
      invert.setAttribute("aria-pressed", String(inverted));
      over.value = chosen;
      opacity.disabled = chosen === "none";
      wipe.value = String(share);
      if (compares) wipe.parentElement.hidden = mode !== "wipe";
      const index = viewer.presets().findIndex(({ window: one }) => one.center === window.center && one.width === window.width);
      preset.value = index < 0 ? "own" : String(index);
      label.textContent = { source: "Original", soft: derived, wipe: "Original", bone: "Bone taken away (dark grey: nothing)" }[mode];
      label.classList.toggle("rv-derived", mode === "soft" || mode === "bone");
      labelRight.textContent = mode === "wipe" ? derived : "";
      const tidy = (value) => Math.round(value * 10) / 10;
      numbers.textContent = `C ${tidy(window.center)}  W ${tidy(window.width)}  ·  ${Math.round(view.scale * 100)} %${inverted ? "  ·  inverted" : ""}`;
      legend.textContent = chosen === "bone" ? `Overlay: orange taken away, blue added; full at ${tidy(viewer.boneTop())} ${viewer.plane.unit}`
        : chosen === "spread" ? "Overlay: standard deviation over repeated runs; yellow: 10 % of the display range" : "";
      if (spoken !== label.textContent + mode) {
        spoken = label.textContent + mode;
        said.textContent = mode === "wipe" ? `Original on the left, ${derived} on the right` : label.textContent;
      }
    },
    drawWipe(context, x, height) {
      context.fillStyle = "#8fd0ff";
      context.fillRect(x - 0.75, 0, 1.5, height);
      context.beginPath();
      context.arc(x, height / 2, 9, 0, 2 * Math.PI);
      context.fill();
    },
    large: () => element.classList.contains("rv-large"),
    enlarge() {
      element.classList.toggle("rv-large");
      surface.focus({ preventScroll: true });
    },
    closeable: () => element.classList.contains("rv-large"),
    close() { element.classList.remove("rv-large"); },
    help() { if (help.open) help.close(); else help.showModal(); },
  };
  return panel;

  function field(name, control) {
    return node("label", { for: control.id }, node("span", { class: "rv-said" }, name), control);
  }
}

function group(name, ...parts) {
  const made = node("div", { class: "rv-group", role: "group", "aria-label": name });
  made.append(...parts);
  return made;
}

function button(label, act, attributes = {}) {
  const made = node("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

function node(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
