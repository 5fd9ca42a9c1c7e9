// The page of one image: starts the viewer where the server left a place for it.
"use strict";

import { createViewer } from "./viewer/viewer.js";

const place = document.querySelector("[data-source-pixels]");
if (place) {
  const { sourcePixels, softPixels, spreadPixels } = place.dataset;
  createViewer(place, { source: sourcePixels, soft: softPixels || null, spread: spreadPixels || null });
}
