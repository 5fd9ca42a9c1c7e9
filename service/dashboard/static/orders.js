// What is ordered about many images at once: one request each, so that one refusal keeps none of the others from it.
"use strict";

const ANSWERS = { retry: ["retried", "retry"], cancel: ["cancelled", "cancel"] };

async function order(button) {
  const [done, address] = ANSWERS[button.dataset.order];
  const outcome = document.getElementById("orders-outcome");
  const chosen = [...document.querySelectorAll("[data-job]:checked")];
  if (chosen.length === 0) {
    outcome.textContent = "Choose images first.";
    return;
  }
  const refused = new Map();
  let count = 0;
  button.disabled = true;
  try {
    for (const box of chosen) {
      outcome.textContent = `${count} of ${chosen.length} ${done} …`;
      const answer = await fetch(`/api/v1/jobs/${encodeURIComponent(box.dataset.job)}/${address}`, { method: "POST", headers: token() });
      if (answer.ok) {
        count += 1;
        box.checked = false;
      } else {
        const { code } = await answer.json();
        refused.set(code, (refused.get(code) ?? 0) + 1);
      }
    }
    const others = [...refused].map(([code, number]) => `${number} × ${code}`).join(", ");
    outcome.textContent = `${count} ${done}${others ? `; not: ${others}` : ""}.`;
    await refresh();
  } catch {
    outcome.textContent = `${count} ${done}; then no answer from softray.`;
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-order]");
  if (button) order(button);
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-choose-all]")) return;
  for (const box of document.querySelectorAll("[data-job]")) box.checked = event.target.checked;
});
