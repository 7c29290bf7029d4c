// Draws every chart of the page from the address of its specification. Without this script the tables beside them say the same.
"use strict";
for (const place of document.querySelectorAll("[data-chart]")) {
  fetch(place.dataset.chart)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then((specification) =>
      window.vegaEmbed(place, specification, {
        ast: true, // expressions are interpreted: the page's policy allows no eval
        actions: false,
        defaultStyle: false,
        renderer: "svg", // so that colours follow the page's, light or dark
        tooltip: false,
      })
    )
    .catch(() => place.closest(".chart").remove());
}
