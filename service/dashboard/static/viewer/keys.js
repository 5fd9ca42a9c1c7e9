// The viewer from the keyboard; `?` shows this table.
"use strict";

export const KEYS = [
  ["Space", "Original and soft tissue in turn, in place"],
  ["1 2 3 4", "Original, soft tissue, wipe, bone taken away"],
  ["← →", "Move the wipe; without it, pan"],
  ["↑ ↓", "Pan"],
  ["W S", "Window wider, narrower"],
  ["A D", "Brighter, darker"],
  ["R", "Window as it was sent"],
  ["I", "Invert"],
  ["B, V", "Overlay: bone, spread over repeated runs"],
  ["+ −", "Zoom"],
  ["0", "Whole image"],
  ["X", "One image pixel on one screen pixel"],
  ["F", "Fill the window, and back (Esc)"],
  ["?", "This list"],
];

export function keysOf(element, viewer, panel, options, signal) {
  const place = options.keys === "focus" ? element : document;
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const field = event.target.closest?.("input, select, textarea");
    if (field || (event.key === " " && event.target.closest?.("button, a, summary"))) return;
    const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    if (event.key === "Escape" && !panel.closeable()) return;
    // Arrows scroll the page unless the picture is what they are for.
    if (event.key.startsWith("Arrow") && !element.contains(event.target) && !panel.large()) return;
    event.preventDefault();
    act(viewer, panel);
  }, { signal });
}

const window_ = (viewer, brighter, wider) => {
  const { center, width, inverted } = viewer.state.window;
  viewer.setWindow(center + (inverted ? 1 : -1) * brighter * width * 0.04, width * (1 + wider * 0.06));
};
const sideways = (viewer, way) => {
  if (viewer.state.mode === "wipe") viewer.setWipe(viewer.state.wipe + way * 0.02);
  else viewer.pan(-40 * way, 0);
};
const overlay = (viewer, name) => viewer.setOverlay(viewer.state.overlay === name ? "none" : name);
const ready = (act) => (viewer, panel) => { if (viewer.state.window) act(viewer, panel); };

const ACTS = {
  " ": ready((viewer) => viewer.flicker()),
  1: ready((viewer) => viewer.show("source")),
  2: ready((viewer) => viewer.show("soft")),
  3: ready((viewer) => viewer.show("wipe")),
  4: ready((viewer) => viewer.show("bone")),
  ArrowLeft: ready((viewer) => sideways(viewer, -1)),
  ArrowRight: ready((viewer) => sideways(viewer, 1)),
  ArrowUp: ready((viewer) => viewer.pan(0, 40)),
  ArrowDown: ready((viewer) => viewer.pan(0, -40)),
  w: ready((viewer) => window_(viewer, 0, 1)),
  s: ready((viewer) => window_(viewer, 0, -1)),
  a: ready((viewer) => window_(viewer, 1, 0)),
  d: ready((viewer) => window_(viewer, -1, 0)),
  r: ready((viewer) => viewer.resetWindow()),
  i: ready((viewer) => viewer.invert()),
  b: ready((viewer) => overlay(viewer, "bone")),
  v: ready((viewer) => overlay(viewer, "spread")),
  "+": ready((viewer) => viewer.zoom(1.25)),
  "=": ready((viewer) => viewer.zoom(1.25)),
  "-": ready((viewer) => viewer.zoom(0.8)),
  0: ready((viewer) => viewer.fit()),
  x: ready((viewer) => viewer.actualSize()),
  f: (_viewer, panel) => panel.enlarge(),
  Escape: (_viewer, panel) => panel.close(),
  "?": (_viewer, panel) => panel.help(),
};
