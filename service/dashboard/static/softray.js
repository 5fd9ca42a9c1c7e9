// Four things, without a library: keep the states fresh, toggle original and soft tissue in place, retry, log out.
// Text that comes from the service is put in as text or arrives escaped by the server; nothing is built from strings.
"use strict";

const REFRESH_MS = 2000;

// --- fresh states -------------------------------------------------------------------------------------------------

// What the server last sent for each live part; the page itself differs from it (local times, focus).
const sent = new Map();
for (const part of document.querySelectorAll("[data-live]")) sent.set(part.id, part.outerHTML);

async function refresh() {
  const headers = { Accept: "text/html", "X-Softray-Background": "1" };
  const answer = await fetch(location.href, { headers, cache: "no-store" });
  if (answer.redirected) {
    // The session is over: the login page leads back here.
    location.reload();
    return;
  }
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const known = [...document.querySelectorAll("[data-live]")].map((part) => part.id);
  const now = [...fresh.querySelectorAll("[data-live]")].map((part) => part.id);
  if (known.join() !== now.join()) {
    // Another image of the study arrived: the parts no longer correspond one to one.
    location.reload();
    return;
  }
  for (const part of fresh.querySelectorAll("[data-live]")) {
    if (sent.get(part.id) === part.outerHTML) continue;
    sent.set(part.id, part.outerHTML);
    const old = document.getElementById(part.id);
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const replacement = document.importNode(part, true);
    for (const box of old.querySelectorAll("input:checked[id]")) {
      const same = replacement.querySelector(`#${CSS.escape(box.id)}`);
      if (same) same.checked = true;
    }
    old.replaceWith(replacement);
    localTimes(replacement);
    if (focused) document.getElementById(focused)?.focus();
  }
}

async function keepFresh() {
  const live = document.getElementById("live");
  if (!document.hidden) {
    try {
      await refresh();
      if (live.classList.contains("lost")) live.textContent = "Live";
      live.classList.remove("lost");
    } catch {
      if (!live.classList.contains("lost")) live.textContent = "No answer from softray; trying again";
      live.classList.add("lost");
    }
  }
  setTimeout(keepFresh, REFRESH_MS);
}

// The server writes UTC; a reading room wants its own clock. UTC stays in the tooltip.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    const two = (number) => String(number).padStart(2, "0");
    time.title = time.textContent;
    time.textContent =
      `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
      `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  }
}

// --- original / soft tissue ---------------------------------------------------------------------------------------

function toggle(viewer) {
  const soft = viewer.dataset.showing !== "soft";
  viewer.dataset.showing = soft ? "soft" : "source";
  const button = viewer.querySelector("[data-toggle]");
  button.textContent = soft ? "Show original" : "Show soft tissue";
  viewer.querySelector(".stage figcaption").textContent = soft ? "Soft tissue" : "Original";
  viewer.querySelector(".stack .source").toggleAttribute("aria-hidden", soft);
  viewer.querySelector(".stack .soft").toggleAttribute("aria-hidden", !soft);
}

// The viewer that a key means: the enlarged one, else the one that fills most of the window.
function viewerInSight() {
  const large = document.querySelector(".viewer.large");
  if (large) return large;
  const seen = (viewer) => {
    const box = viewer.getBoundingClientRect();
    return Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
  };
  const viewers = [...document.querySelectorAll("[data-viewer]")];
  return viewers.sort((one, other) => seen(other) - seen(one))[0];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  // On a button or a link the space bar already means something.
  if (event.key === " " && event.target.closest("button, a, input, summary")) return;
  const viewer = viewerInSight();
  if (!viewer) return;
  if (event.key === " ") toggle(viewer);
  else if (event.key === "f" || event.key === "F") viewer.classList.toggle("large");
  else if (event.key === "Escape") viewer.classList.remove("large");
  else return;
  event.preventDefault();
});

// --- login --------------------------------------------------------------------------------------------------------

// What changes something is believed only with the session's second secret, which another site's page cannot read.
function token() {
  const known = document.body.dataset.csrf;
  return known ? { "X-CSRF-Token": known } : {};
}

async function logOut(button) {
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.logout, { method: "POST", headers: token() });
    if (answer.ok || answer.status === 401) location.assign("/login");
  } finally {
    button.disabled = false;
  }
}

// --- buttons ------------------------------------------------------------------------------------------------------

async function retry(button) {
  const outcome = [...document.querySelectorAll("[data-outcome]")].find(
    (place) => place.dataset.outcome === button.dataset.retry,
  );
  button.disabled = true;
  try {
    const answer = await fetch(`/api/v1/jobs/${encodeURIComponent(button.dataset.retry)}/retry`, { method: "POST", headers: token() });
    const body = await answer.json();
    outcome.textContent = answer.ok ? "Retry accepted." : `Not retried: ${body.message}`;
    if (answer.ok) await refresh();
  } catch {
    outcome.textContent = "Not retried: no answer from softray.";
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("retry" in button.dataset) retry(button);
  else if ("logout" in button.dataset) logOut(button);
  else if ("toggle" in button.dataset) toggle(button.closest("[data-viewer]"));
  else if ("enlarge" in button.dataset) {
    button.closest("[data-viewer]").classList.toggle("large");
    button.blur(); // so that the space bar toggles the image and not this button
  }
});

localTimes(document);
if (sent.size > 0) setTimeout(keepFresh, REFRESH_MS);
