// Mouse, pen, fingers and wheel on the picture. Left drag: the tool in hand; middle, right or Shift drag: pan; wheel and
// two fingers: zoom; the wipe line is taken hold of where it is.
"use strict";

const CLICK_WITHIN = 4; // CSS pixels that a press may wander and still be a click

// acts: { tool(): "window" | "pan" | "zoom" | "mark", nearWipe(x, y), wipe(x), window(dx, dy), pan(dx, dy),
//         zoom(factor, x, y), hover(x, y), leave(), click(x, y), drag(from, to, ended), reset() }; CSS pixels from the top left
export function listen(surface, acts, signal) {
  const fingers = new Map();
  let held = null;
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const on = (type, handler, options = {}) => surface.addEventListener(type, handler, { signal, ...options });

  on("pointerdown", (event) => {
    surface.setPointerCapture(event.pointerId);
    const at = place(event);
    fingers.set(event.pointerId, at);
    if (fingers.size === 2) {
      held = { what: "pinch", ...spanOf(fingers) };
      return;
    }
    const pans = event.button === 1 || event.button === 2 || event.shiftKey;
    const what = pans ? "pan" : acts.nearWipe(at.x, at.y) ? "wipe" : acts.tool();
    held = { what, from: at, last: at, moved: false };
  });

  on("pointermove", (event) => {
    const at = place(event);
    acts.hover(at.x, at.y);
    if (!fingers.has(event.pointerId) || !held) return;
    fingers.set(event.pointerId, at);
    if (held.what === "pinch") {
      if (fingers.size < 2) return;
      const now = spanOf(fingers);
      acts.zoom(now.span / held.span, now.x, now.y);
      acts.pan(now.x - held.x, now.y - held.y);
      Object.assign(held, now);
      return;
    }
    if (!held.moved && Math.hypot(at.x - held.from.x, at.y - held.from.y) < CLICK_WITHIN) return;
    held.moved = true;
    const [dx, dy] = [at.x - held.last.x, at.y - held.last.y];
    held.last = at;
    if (held.what === "wipe") acts.wipe(at.x);
    else if (held.what === "pan") acts.pan(dx, dy);
    else if (held.what === "zoom") acts.zoom(Math.exp(-dy / 150), held.from.x, held.from.y);
    else if (held.what === "mark") acts.drag(held.from, at, false);
    else acts.window(dx, dy);
  });

  const release = (event) => {
    fingers.delete(event.pointerId);
    if (held && held.what !== "pinch" && event.type === "pointerup") {
      if (!held.moved) acts.click(held.from.x, held.from.y);
      else if (held.what === "mark") acts.drag(held.from, held.last, true);
    }
    if (fingers.size === 0) held = null;
  };
  on("pointerup", release);
  on("pointercancel", release);
  on("pointerleave", () => acts.leave());
  on("contextmenu", (event) => event.preventDefault());
  on("dblclick", () => acts.reset());
  on("wheel", (event) => {
    // The wheel scrolls the page unless the picture was taken in hand first: a page that cannot be scrolled past its
    // picture is worse than a zoom that wants a click.
    if (document.activeElement !== surface && !event.ctrlKey) return;
    event.preventDefault();
    const at = place(event);
    acts.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), at.x, at.y);
  }, { passive: false });
}

function spanOf(fingers) {
  const [one, other] = [...fingers.values()];
  return { span: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
