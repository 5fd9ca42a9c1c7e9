// Modality value -> grey 0…255 by window (PS3.3 C.11.2.1.2 LINEAR, C.11.2.1.3 LINEAR_EXACT and SIGMOID), or by a curve
// of the header stretched over the window; and the table of it over every word that an image can hold.
"use strict";

export const NARROWEST = 2; // LINEAR of width 1 is a step, and a drag that ends there could not be dragged back

export function grey(window, value) {
  const { center, width } = window;
  let share;
  if (window.function === "LINEAR") share = (value - (center - 0.5)) / (width - 1) + 0.5;
  else if (window.function === "SIGMOID") share = 1 / (1 + Math.exp((-4 * (value - center)) / width));
  else share = (value - center) / width + 0.5;
  share = Math.min(1, Math.max(0, share));
  if (window.function === "CURVE") share = onCurve(window.curve, share);
  return 255 * (window.inverted ? 1 - share : share);
}

// Uint8 for each word 0…65535.
export function greyTable(window, plane) {
  const table = new Uint8ClampedArray(65536);
  for (let word = 0; word < table.length; word++) {
    table[word] = grey(window, (word + plane.lowest) * plane.slope + plane.intercept);
  }
  return table;
}

// What is offered beside the header's own window: the same window narrowed to where lungs or bone and mediastinum lie.
export function presets(window) {
  const { center, width, inverted } = window;
  const darker = inverted ? 1 : -1; // the direction of dark in values
  const place = (share, part) => ({ ...window, center: center + darker * share * width, width: Math.max(NARROWEST, part * width) });
  return [
    { name: "As sent", window },
    { name: "Lungs", window: place(0.18, 0.62) },
    { name: "Mediastinum", window: place(-0.2, 0.6) },
    { name: "High contrast", window: place(0, 0.5) },
    { name: "Wide", window: place(0, 1.6) },
  ];
}

function onCurve(curve, share) {
  const place = share * (curve.length - 1);
  const left = Math.min(curve.length - 2, Math.floor(place));
  return curve[left] + (curve[left + 1] - curve[left]) * (place - left);
}
