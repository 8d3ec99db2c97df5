/* Before printing: unfold every proof and solution (not the tests), and use the light colors; afterwards, put all back. */
(function () {
  "use strict";
  let folded = [], scheme = null;

  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".md-content details:not([open], .mx-test)")];
    folded.forEach(details => { details.open = true; });
    scheme = document.body.dataset.mdColorScheme;
    document.body.dataset.mdColorScheme = "default";
  });

  addEventListener("afterprint", () => {
    folded.forEach(details => { details.open = false; });
    folded = [];
    if (scheme) document.body.dataset.mdColorScheme = scheme;
  });
})();
