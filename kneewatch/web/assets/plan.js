// Moves sessions on the calendar by dragging or by arrow keys: it fills in the form for moving and sends it. Without this script the form does the same.
"use strict";
{
  const form = document.getElementById("move");
  const told = document.getElementById("moving");
  const cells = [...document.querySelectorAll(".calendar td[data-day]")];
  const DRAGGED_PX = 6;
  let target = null;

  const aimAt = (cell) => {
    target?.classList.remove("target");
    target = cell;
    target?.classList.add("target");
  };
  const move = (session) => {
    form.elements.session.value = session;
    form.elements.to_day.value = target.dataset.day;
    form.requestSubmit();
  };

  for (const link of document.querySelectorAll("[data-session]")) {
    const home = link.closest("td");
    const session = link.closest(".session");
    const name = link.textContent;
    let from = null;
    let isDragged = false;

    link.draggable = false;
    session.classList.add("movable");
    session.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls
      from = event;
      isDragged = false;
    });
    // On the document: a quick hand is out of the session with its first move.
    document.addEventListener("pointermove", (event) => {
      if (!from) return;
      if (!isDragged && Math.hypot(event.x - from.x, event.y - from.y) < DRAGGED_PX) return;
      isDragged = true;
      session.classList.add("dragged");
      aimAt(document.elementFromPoint(event.x, event.y)?.closest("td[data-day]") ?? null);
    });
    const end = (isDropped) => {
      if (!from) return;
      from = null;
      session.classList.remove("dragged");
      if (isDropped && isDragged && target && target !== home) move(link.dataset.session);
      else if (isDragged) aimAt(null);
    };
    document.addEventListener("pointerup", () => end(true));
    document.addEventListener("pointercancel", () => end(false));
    link.addEventListener("click", (event) => isDragged && event.preventDefault());

    link.addEventListener("keydown", (event) => {
      const days = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
      if (days) {
        const at = cells.indexOf(target ?? home) + days;
        if (cells[at]) aimAt(cells[at]);
        target?.scrollIntoView({ block: "nearest" });
        told.textContent = target && target !== home ? `${name} to ${target.dataset.name}: Enter moves it, Escape does not.` : `${name} stays where it is.`;
      } else if (event.key === "Enter" && target && target !== home) {
        move(link.dataset.session);
      } else if (event.key === "Escape") {
        aimAt(null);
        told.textContent = `${name} stays where it is.`;
      } else {
        return;
      }
      event.preventDefault();
    });
    link.addEventListener("blur", () => isDragged || aimAt(null));
  }
  for (const hint of document.querySelectorAll(".for-script")) hint.hidden = false;
}
