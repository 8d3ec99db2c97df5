/* Shows what a reference to the ledger means when it is pointed at or focused; Escape closes it. The equation was set
   when the site was built and lies in a <template> on the same page. */
(function () {
  "use strict";
  let popup = null, owner = null, timer = 0;

  function meaning(link) {
    const name = link.dataset.mxRef;
    for (const other of document.querySelectorAll(`a.mx-ref[data-mx-ref="${name}"]`)) {
      const next = other.nextElementSibling;
      if (next && next.tagName === "TEMPLATE") return next.content;
    }
    return null;
  }

  function close() {
    clearTimeout(timer);
    if (popup) popup.remove();
    if (owner) owner.removeAttribute("aria-describedby");
    popup = owner = null;
  }

  function open(link) {
    if (owner === link) return clearTimeout(timer);
    close();
    const content = meaning(link);
    if (!content) return;
    popup = document.createElement("div");
    popup.className = "mx-pop md-typeset";
    popup.id = "mx-pop";
    popup.setAttribute("role", "tooltip");
    popup.append(content.cloneNode(true));
    popup.addEventListener("pointerenter", () => clearTimeout(timer));
    popup.addEventListener("pointerleave", later);
    document.body.append(popup);
    owner = link;
    link.setAttribute("aria-describedby", "mx-pop");
    const at = link.getBoundingClientRect(), size = popup.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8));
    const below = at.bottom + size.height + 12 < innerHeight || at.top < size.height + 12;
    popup.style.left = `${left + scrollX}px`;
    popup.style.top = `${(below ? at.bottom + 6 : at.top - size.height - 6) + scrollY}px`;
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(close, 200);
  }

  const link = event => event.target.closest && event.target.closest("a.mx-ref[data-mx-ref]");
  document.addEventListener("pointerover", event => { if (event.pointerType !== "touch" && link(event)) open(link(event)); });
  document.addEventListener("pointerout", event => { if (link(event)) later(); });
  document.addEventListener("focusin", event => link(event) ? open(link(event)) : close());
  document.addEventListener("keydown", event => { if (event.key === "Escape") close(); });
})();
