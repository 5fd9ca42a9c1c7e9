// One image's values, as /api/v1/jobs/{id}/pixels/{layer} gives them, and its pyramid of halves.
//
// Plane: { width, height, levels, lowest, slope, intercept, unit, spacing, calibrated, bits, greyScale }
//   levels[0] is { width, height, values: Uint16Array }, each next one the 2 × 2 means of the one before, so that a
//   large image shrunk to the screen shows every value and not every third one.
//   value of a word = (word + lowest) * slope + intercept, in `unit`.
"use strict";

export class ImageUnavailable extends Error {}

export async function loadPlane(address, signal) {
  const answer = await fetch(address, { headers: { Accept: "application/octet-stream" }, cache: "no-store", signal });
  if (!answer.ok) throw new ImageUnavailable(await reasonOf(answer));
  const terms = JSON.parse(answer.headers.get("Softray-Image"));
  return makePlane(terms, await answer.arrayBuffer());
}

export function makePlane(terms, buffer) {
  const expected = terms.rows * terms.columns * 2;
  if (buffer.byteLength !== expected) {
    throw new ImageUnavailable(`expected ${expected} bytes of pixels, found ${buffer.byteLength}`);
  }
  const values = new Uint16Array(littleEndian() ? buffer : swapped(buffer));
  return {
    width: terms.columns,
    height: terms.rows,
    levels: pyramid({ width: terms.columns, height: terms.rows, values }),
    lowest: terms.lowest,
    slope: terms.slope,
    intercept: terms.intercept,
    unit: terms.unit,
    bits: terms.bits_stored,
    spacing: terms.spacing_mm,
    calibrated: terms.calibrated,
    greyScale: terms.grey_scale,
  };
}

// The value at a whole pixel, in the plane's unit.
export function valueAt(plane, column, row) {
  return (plane.levels[0].values[row * plane.width + column] + plane.lowest) * plane.slope + plane.intercept;
}

function pyramid(base) {
  const levels = [base];
  for (let last = base; Math.min(last.width, last.height) > 64; last = levels.at(-1)) levels.push(halved(last));
  return levels;
}

function halved({ width, height, values }) {
  const half = { width: width >> 1, height: height >> 1 };
  const means = new Uint16Array(half.width * half.height);
  for (let row = 0; row < half.height; row++) {
    let above = 2 * row * width;
    let below = above + width;
    for (let column = 0, to = row * half.width; column < half.width; column++, to++, above += 2, below += 2) {
      means[to] = (values[above] + values[above + 1] + values[below] + values[below + 1] + 2) >> 2;
    }
  }
  return { ...half, values: means };
}

function littleEndian() {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}

function swapped(buffer) {
  const view = new DataView(buffer);
  const words = new Uint16Array(buffer.byteLength / 2);
  for (let index = 0; index < words.length; index++) words[index] = view.getUint16(2 * index, true);
  return words.buffer;
}

async function reasonOf(answer) {
  try {
    const problem = await answer.json();
    return `${problem.code}: ${problem.message}`;
  } catch {
    return `status ${answer.status}`;
  }
}
