// Follows a run that goes on, then loads the page again for its new figures; and where a row is too long for the
// screen, shows the end that matters: the newest periods, the tab that is open.
document.addEventListener("DOMContentLoaded", () => {
  for (const wide of document.querySelectorAll(".scroll:has(> .heat)")) wide.scrollLeft = wide.scrollWidth;
  document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  for (const panel of document.querySelectorAll("[data-follow]")) {
    const show = (name, text) => { panel.querySelector(`[data-${name}]`).textContent = text; };
    const follow = async () => {
      const answer = await fetch(panel.dataset.follow, { headers: { Accept: "application/json" } }).catch(() => null);
      if (answer?.ok && !answer.redirected) {
        const run = await answer.json();
        if (run.is_finished) return location.reload();
        show("label", run.label);
        show("stage", run.stage);
        show("count", run.total ? `${run.done} of ${run.total}` : "");
        const bar = panel.querySelector("[data-bar]");
        if (run.total) Object.assign(bar, { max: run.total, value: run.done });
      }
      setTimeout(follow, 1000);
    };
    setTimeout(follow, 1000);
  }
});
