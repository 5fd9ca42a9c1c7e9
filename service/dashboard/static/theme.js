// Light or dark: as the system has it, or as was chosen here. Runs before the page is painted, so that nothing flashes.
"use strict";

(() => {
  const root = document.documentElement;
  const chosen = () => {
    try { return localStorage.getItem("softray-theme"); } catch { return null; }
  };
  if (chosen()) root.dataset.theme = chosen();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("softray-theme", root.dataset.theme); } catch { /* for this page only */ }
  });
})();
