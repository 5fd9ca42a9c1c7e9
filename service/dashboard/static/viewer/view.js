// Where the image lies on the canvas: { scale, x, y } in canvas pixels; pure functions that give a new view.
"use strict";

const LARGEST = 16;

export function fitted(plane, width, height) {
  const scale = Math.min(width / plane.width, height / plane.height);
  return { scale, x: (width - plane.width * scale) / 2, y: (height - plane.height * scale) / 2 };
}

export function zoomed(view, factor, x, y, plane, width, height) {
  const least = Math.min(fitted(plane, width, height).scale, 1) / 2;
  const scale = Math.min(LARGEST, Math.max(least, view.scale * factor));
  const ratio = scale / view.scale;
  return held({ scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio }, plane, width, height);
}

// One image pixel on one canvas pixel, on whole pixels, so that every value is seen as it is.
export function actual(view, plane, width, height) {
  const centre = { column: (width / 2 - view.x) / view.scale, row: (height / 2 - view.y) / view.scale };
  return held({ scale: 1, x: Math.round(width / 2 - centre.column), y: Math.round(height / 2 - centre.row) }, plane, width, height);
}

export function moved(view, dx, dy, plane, width, height) {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, plane, width, height);
}

// A part of the image stays in sight.
function held(view, plane, width, height) {
  const margin = 48;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  return {
    scale: view.scale,
    x: clamp(view.x, margin - plane.width * view.scale, width - margin),
    y: clamp(view.y, margin - plane.height * view.scale, height - margin),
  };
}
