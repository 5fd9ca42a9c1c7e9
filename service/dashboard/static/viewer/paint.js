// Planes -> canvas pixels. On the processor, at full depth, the same on every machine: reading rooms look through remote
// desktops on which WebGL is slow, absent, or rounds otherwise.
//
// view: { scale, x, y }: canvas pixel = image pixel * scale + (x, y), image pixels counted from their outer corner.
"use strict";

const BONE = [255, 170, 60];
const ADDED = [80, 165, 255];
// Dark violet to yellow through red: rises in lightness, and is told apart by those who do not tell red from green.
const SPREAD = [[70, 20, 120], [150, 35, 130], [225, 80, 80], [252, 160, 50], [250, 235, 120]];
const CRISP_FROM = 3; // magnified beyond this, pixels are shown as what they are

// layers: { left, right: {plane, table} , wipe: canvas column where right begins, or null,
//           difference: {source, soft, top, share, alone} or null, spread: {plane, top, share} or null }
export function paint(image, view, layers) {
  const { width, height, data } = image;
  const { level, columns } = sampling(layers.left.plane, view, width);
  const rows = sampling(layers.left.plane, view, height, true).columns;
  const out = new Uint32Array(data.buffer);
  out.fill(0xff000000);
  const from = Math.max(0, columns.first);
  const to = Math.min(width, columns.end);
  const wipe = layers.wipe === null ? width : Math.round(layers.wipe);
  const read = (plane) => reader(plane, level, columns);
  const left = read(layers.left.plane);
  const right = layers.right ? read(layers.right.plane) : null;
  const bone = layers.difference ? { ...layers.difference, source: read(layers.difference.source), soft: read(layers.difference.soft) } : null;
  const spread = layers.spread ? { ...layers.spread, read: read(layers.spread.plane) } : null;
  for (let y = Math.max(0, rows.first); y < Math.min(height, rows.end); y++) {
    const y0 = rows.low[y];
    const y1 = rows.high[y];
    const wy = rows.weight[y];
    let place = y * width + from;
    for (let x = from; x < to; x++, place++) {
      const onLeft = x < wipe || right === null;
      let red, green, blue;
      if (bone?.alone) {
        const taken = (bone.source(x, y0, y1, wy) - bone.soft(x, y0, y1, wy)) * bone.side;
        red = green = blue = Math.min(255, Math.max(0, (255 * (taken / bone.top + 0.25)) / 1.25));
      } else {
        const word = onLeft ? left(x, y0, y1, wy) : right(x, y0, y1, wy);
        red = green = blue = (onLeft ? layers.left : layers.right).table[(word + 0.5) | 0];
      }
      if (bone && !bone.alone) {
        const taken = (bone.source(x, y0, y1, wy) - bone.soft(x, y0, y1, wy)) * bone.side;
        const colour = taken < 0 ? ADDED : BONE;
        const share = bone.share * Math.min(1, Math.abs(taken) / bone.top);
        red += (colour[0] - red) * share;
        green += (colour[1] - green) * share;
        blue += (colour[2] - blue) * share;
      }
      if (spread) {
        const strength = Math.min(1, spread.read(x, y0, y1, wy) / spread.top);
        const colour = ramp(strength);
        const share = spread.share * Math.min(1, 2 * strength);
        red += (colour[0] - red) * share;
        green += (colour[1] - green) * share;
        blue += (colour[2] - blue) * share;
      }
      out[place] = 0xff000000 | ((blue + 0.5) << 16) | ((green + 0.5) << 8) | (red + 0.5);
    }
  }
}

// The colour of a share 0…1 of the spread's scale; also for its legend.
export function ramp(share) {
  const place = share * (SPREAD.length - 1);
  const low = Math.min(SPREAD.length - 2, place | 0);
  const part = place - low;
  return SPREAD[low].map((from, channel) => from + (SPREAD[low + 1][channel] - from) * part);
}

// Strongest bone of a pair, in words: above it lies one pixel in two hundred.
export function strongest(source, soft, side) {
  const level = Math.min(2, source.levels.length - 1);
  const [before, after] = [source.levels[level].values, soft.levels[level].values];
  const taken = new Int32Array(before.length);
  for (let index = 0; index < before.length; index++) taken[index] = side * (before[index] - after[index]);
  taken.sort();
  return Math.max(1 << Math.max(0, source.bits - 8), taken[Math.floor(0.995 * (taken.length - 1))]);
}

function sampling(plane, view, length, vertical = false) {
  let level = 0;
  while (view.scale * 2 ** level < 0.5 && level + 1 < plane.levels.length) level++;
  const shrink = 2 ** level;
  const size = vertical ? plane.levels[level].height : plane.levels[level].width;
  const whole = vertical ? plane.height : plane.width;
  const offset = vertical ? view.y : view.x;
  const columns = {
    first: Math.ceil(offset - 0.5),
    end: Math.ceil(offset + whole * view.scale - 0.5),
    low: new Int32Array(length),
    high: new Int32Array(length),
    weight: new Float32Array(length),
  };
  const crisp = view.scale >= CRISP_FROM;
  for (let index = 0; index < length; index++) {
    const at = (index + 0.5 - offset) / view.scale / shrink - 0.5;
    const low = crisp ? Math.round(at) : Math.floor(at);
    columns.low[index] = Math.min(size - 1, Math.max(0, low));
    columns.high[index] = Math.min(size - 1, Math.max(0, low + 1));
    columns.weight[index] = crisp ? 0 : at - low;
  }
  return { level, columns };
}

function reader(plane, level, columns) {
  const { width, values } = plane.levels[level];
  const { low, high, weight } = columns;
  return (x, y0, y1, wy) => {
    const x0 = low[x];
    const x1 = high[x];
    const wx = weight[x];
    const top = values[y0 * width + x0] * (1 - wx) + values[y0 * width + x1] * wx;
    const bottom = values[y1 * width + x0] * (1 - wx) + values[y1 * width + x1] * wx;
    return top * (1 - wy) + bottom * wy;
  };
}
