// A viewer of one radiograph and what was made of it. A self-contained ES module:
//
//   import { createViewer } from "/static/viewer/viewer.js";
//   const viewer = createViewer(element, { source, soft, spread }, options);
//
// element   an empty block element; it gets the class "rv". Load /static/viewer/viewer.css in the page.
// sources   addresses of /api/v1/jobs/{id}/pixels/{layer}; `soft` and `spread` null where there is none. With `source`
//           alone nothing can be compared and no control says that anything could.
// options   derivedLabel   what the derived image is called (default "Soft tissue, derived")
//           keys           "page" (default): keys work wherever the focus is, but in a text field; "focus": only inside
//
// What comes back:
//   ready               Promise: resolves when every image is there, rejects with ImageUnavailable
//   state               { mode, window: {center, width, …}, view: {scale, x, y}, wipe: 0…1, overlay, opacity, inverted }
//   show(mode)          "source", "soft", "wipe" or "bone"
//   setWindow(center, width), resetWindow(), invert(), setWipe(share), setOverlay("none" | "bone" | "spread", opacity)
//   fit(), actualSize(), zoom(factor)
//   toImage(x, y)       CSS pixels from the picture's top left -> { column, row } in image pixels, fractions included
//   toScreen(column, row) the way back: { x, y }
//   plane               the source's Plane (see planes.js): width, height, spacing in mm, unit
//   setTool(tool)       "window" (default), "pan", "zoom" or "mark": what the left button drags
//   on(type, handler)   "change" (state), "click" ({column, row}; with the tool "mark"), "box" ({from, to, ended}, both in
//                       image pixels; with the tool "mark"). Gives a function that takes the handler away again
//   addMarks(draw)      draw(context, viewer) on top of the picture, in CSS pixels, at each repaint; gives a function that
//                       takes it away. redraw() asks for a repaint
//   destroy()           takes everything away, stops loading
"use strict";

import { build } from "./controls.js";
import { listen } from "./gestures.js";
import { NARROWEST, greyTable, presets } from "./grey_scale.js";
import { keysOf } from "./keys.js";
import { loadPlane, valueAt } from "./planes.js";
import { paint, strongest } from "./paint.js";
import { actual, fitted, moved, zoomed } from "./view.js";

const SPREAD_TOP = 6554; // words: a tenth of the display range, as the map's own window has it
const GRIP = 14; // CSS pixels on either side of the wipe line

export function createViewer(element, sources, options = {}) {
  const life = new AbortController();
  const handlers = { change: new Set(), click: new Set(), box: new Set() };
  const marks = new Set();
  const planes = { source: null, soft: null, spread: null };
  const state = { mode: "source", window: null, view: null, wipe: 0.5, overlay: "none", opacity: 0.6, inverted: false };
  let sent = null; // the window that the header asks for
  let bone = null;
  let tables = null;
  let tool = "window";
  let fits = true;
  let asked = 0;

  const viewer = {
    state,
    get plane() { return planes.source; },
    show(mode) {
      if (mode !== "source" && !planes.soft) return;
      state.mode = mode;
      changed();
    },
    setWindow(center, width) {
      if (!sent) return;
      state.window = { ...state.window, center, width: Math.max(NARROWEST, width) };
      tables = null;
      changed();
    },
    usePreset(window) {
      state.window = { ...window, inverted: window.inverted !== state.inverted };
      tables = null;
      changed();
    },
    resetWindow() { if (sent) viewer.usePreset(sent); },
    presets: () => presets(sent),
    invert() {
      if (!sent) return;
      state.inverted = !state.inverted;
      state.window = { ...state.window, inverted: !state.window.inverted };
      tables = null;
      changed();
    },
    setWipe(share) {
      state.wipe = Math.min(1, Math.max(0, share));
      changed();
    },
    setOverlay(name, opacity = state.opacity) {
      if (name === "bone" && !planes.soft) return;
      if (name === "spread" && !planes.spread) return;
      Object.assign(state, { overlay: name, opacity });
      changed();
    },
    flicker() { viewer.show(state.mode === "soft" ? "source" : "soft"); },
    fit() {
      fits = true;
      if (planes.source) state.view = fitted(planes.source, canvas.width, canvas.height);
      changed();
    },
    actualSize() { look((view, ...rest) => actual(view, ...rest)); },
    zoom(factor, x = surface.clientWidth / 2, y = surface.clientHeight / 2) {
      look((view, ...rest) => zoomed(view, factor, x * ratio(), y * ratio(), ...rest));
    },
    pan(dx, dy) { look((view, ...rest) => moved(view, dx * ratio(), dy * ratio(), ...rest)); },
    toImage(x, y) {
      const { scale, x: left, y: top } = state.view;
      return { column: (x * ratio() - left) / scale, row: (y * ratio() - top) / scale };
    },
    toScreen(column, row) {
      const { scale, x, y } = state.view;
      return { x: (column * scale + x) / ratio(), y: (row * scale + y) / ratio() };
    },
    setTool(name) {
      tool = name;
      surface.dataset.tool = name;
      panel.update(viewer);
    },
    on(type, handler) {
      handlers[type].add(handler);
      return () => handlers[type].delete(handler);
    },
    addMarks(draw) {
      marks.add(draw);
      redraw();
      return () => { marks.delete(draw); redraw(); };
    },
    redraw,
    get tool() { return tool; },
    has: (name) => planes[name] !== null,
    boneTop: () => bone && bone.top * Math.abs(planes.source.slope),
    destroy() {
      life.abort();
      watch.disconnect();
      cancelAnimationFrame(asked);
      element.replaceChildren();
    },
  };

  const panel = build(element, viewer, sources, options);
  const { canvas, overlay, surface } = panel;
  const watch = new ResizeObserver(resized);
  watch.observe(surface);
  listen(surface, {
    tool: () => tool,
    nearWipe: (x) => state.mode === "wipe" && Math.abs(x - wipeAt() / ratio()) < GRIP,
    wipe: (x) => viewer.setWipe(viewer.toImage(x, 0).column / planes.source.width),
    window: (dx, dy) => {
      if (!sent) return;
      // A drag over the whole picture crosses the window that came with the image twice.
      const step = (2 * sent.width) / Math.max(300, surface.clientHeight);
      const darker = state.window.inverted ? -1 : 1;
      viewer.setWindow(state.window.center + darker * dy * step, state.window.width + dx * step);
    },
    pan: viewer.pan,
    zoom: viewer.zoom,
    hover: readOut,
    leave: () => panel.read(""),
    click: (x, y) => { surface.focus({ preventScroll: true }); if (tool === "mark") tell("click", viewer.toImage(x, y)); },
    drag: (from, to, ended) => tell("box", { from: viewer.toImage(from.x, from.y), to: viewer.toImage(to.x, to.y), ended }),
    reset: () => { if (tool !== "mark") { viewer.resetWindow(); viewer.fit(); } },
  }, life.signal);
  keysOf(element, viewer, panel, options, life.signal);

  viewer.ready = load();
  viewer.ready.catch((error) => panel.fail(error));
  return viewer;

  async function load() {
    const wanted = Object.entries(sources).filter(([, address]) => address);
    await Promise.all(wanted.map(async ([name, address]) => {
      planes[name] = await loadPlane(address, life.signal);
    }));
    for (const plane of [planes.soft, planes.spread]) {
      if (plane && (plane.width !== planes.source.width || plane.height !== planes.source.height)) {
        throw new Error("the images do not lie on one grid");
      }
    }
    sent = planes.source.greyScale;
    state.window = { ...sent };
    if (planes.soft) {
      const side = (sent.inverted ? -1 : 1) * Math.sign(planes.source.slope);
      bone = { side, top: strongest(planes.source, planes.soft, side) };
    }
    panel.loaded(viewer);
    resized();
  }

  function ratio() { return canvas.width / Math.max(1, surface.clientWidth); }

  function resized() {
    const density = window.devicePixelRatio || 1;
    const [width, height] = [surface.clientWidth, surface.clientHeight].map((side) => Math.max(1, Math.round(side * density)));
    if (canvas.width !== width || canvas.height !== height) {
      for (const each of [canvas, overlay]) Object.assign(each, { width, height });
    }
    if (!planes.source || !sent) return;
    if (fits || !state.view) state.view = fitted(planes.source, width, height);
    redraw();
    panel.update(viewer);
  }

  function look(change) {
    if (!state.view) return;
    fits = false;
    state.view = change(state.view, planes.source, canvas.width, canvas.height);
    changed();
  }

  function changed() {
    redraw();
    panel.update(viewer);
    tell("change", state);
  }

  function tell(type, what) { for (const handler of handlers[type]) handler(what); }

  function redraw() {
    if (!asked) asked = requestAnimationFrame(draw);
  }

  function wipeAt() { return state.wipe * planes.source.width * state.view.scale + state.view.x; }

  function draw() {
    asked = 0;
    if (!state.view || !state.window) return;
    tables ??= {
      source: greyTable(state.window, planes.source),
      soft: planes.soft && greyTable(state.window, planes.soft),
    };
    const layer = (name) => ({ plane: planes[name], table: tables[name] });
    const { mode, overlay: over, opacity } = state;
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    paint(picture, state.view, {
      left: layer(mode === "soft" ? "soft" : "source"),
      right: mode === "wipe" ? layer("soft") : null,
      wipe: mode === "wipe" ? wipeAt() : null,
      difference: bone && (mode === "bone" || over === "bone")
        ? { ...bone, source: planes.source, soft: planes.soft, share: opacity, alone: mode === "bone" } : null,
      spread: over === "spread" ? { plane: planes.spread, top: SPREAD_TOP, share: opacity } : null,
    });
    context.putImageData(picture, 0, 0);
    drawMarks();
    element.dataset.painted = String(Number(element.dataset.painted ?? 0) + 1);
  }

  function drawMarks() {
    const context = overlay.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, overlay.width, overlay.height);
    context.scale(ratio(), ratio());
    if (state.mode === "wipe") panel.drawWipe(context, wipeAt() / ratio(), surface.clientHeight);
    for (const each of marks) each(context, viewer);
  }

  function readOut(x, y) {
    if (!state.view) return;
    const { column, row } = viewer.toImage(x, y);
    const [at, line] = [Math.floor(column), Math.floor(row)];
    if (at < 0 || line < 0 || at >= planes.source.width || line >= planes.source.height) return panel.read("");
    const tidy = (value) => String(Math.round(value * 100) / 100);
    const before = valueAt(planes.source, at, line);
    const parts = [`column ${at}, row ${line}`, `original ${tidy(before)}`];
    if (planes.soft) {
      const after = valueAt(planes.soft, at, line);
      parts.push(`soft tissue ${tidy(after)}`, `difference ${tidy(before - after)}`);
    }
    parts.push(planes.source.unit);
    if (planes.spread) parts.push(`spread ${(100 * valueAt(planes.spread, at, line) / 65535).toFixed(2)} % of display range`);
    panel.read(parts.join(" · "));
  }
}
