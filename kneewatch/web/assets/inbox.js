// Takes files that are dragged onto the form, and looks again until what came in has been dealt with. Without this script the button and the link do.
"use strict";
{
  const LOOK_AGAIN_MS = 1500;
  const form = document.querySelector("form.drop");
  const stop = (event) => event.preventDefault();
  const mark = (isOver) => form.classList.toggle("over", isOver);

  for (const hint of document.querySelectorAll(".for-script")) hint.hidden = false;
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, stop); // or the browser leaves for the file
  form.addEventListener("dragover", () => mark(true));
  form.addEventListener("dragleave", () => mark(false));
  form.addEventListener("drop", (event) => {
    mark(false);
    if (!event.dataTransfer.files.length) return;
    form.elements.file.files = event.dataTransfer.files;
    form.requestSubmit();
  });

  const waiting = document.querySelector("[data-wait]");
  const look = () =>
    fetch(waiting.dataset.wait)
      .then((answer) => answer.json())
      .then((found) => (found.is_busy ? setTimeout(look, LOOK_AGAIN_MS) : location.assign(waiting.querySelector("a").href)))
      .catch(() => {}); // the link stays
  if (waiting) setTimeout(look, LOOK_AGAIN_MS);
}
