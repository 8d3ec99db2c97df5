// What a reader could stumble over on the page as it stands now: a list of sentences. Every <details> is opened first.
() => {
  const found = [], article = document.querySelector(".md-content") || document.body;
  const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + [...e.classList].slice(0, 2).map(c => "." + c).join("");
  document.querySelectorAll("details").forEach(e => { e.open = true; });

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("code, pre, annotation, script, style, textarea, .katex-html")) continue;
    if (/\\[()[\]]|\$\$|\\(frac|delta|sigma|partial|odot|begin|mathbf|text)\b/.test(text.data)) found.push("raw TeX: " + text.data.trim().slice(0, 60));
  }
  document.querySelectorAll(".katex-error").forEach(e => found.push("KaTeX error: " + e.textContent.slice(0, 60)));
  document.querySelectorAll("mx-tex .katex-html").forEach(e => {
    const box = e.getBoundingClientRect();
    if (e.checkVisibility() && (box.width < 1 || box.height < 1)) found.push("a formula without size: " + e.closest("mx-tex").querySelector("annotation").textContent.slice(0, 60));
  });
  document.querySelectorAll("img").forEach(e => { if (e.complete && !e.naturalWidth) found.push("no picture: " + e.src); });
  document.querySelectorAll(".mx-demo").forEach(e => { if (e.dataset.ready !== "done") found.push("demo " + name(e) + " is not ready: " + e.dataset.ready); });

  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) found.push("the page scrolls sideways by " + over + " px");
  const scrolls = e => { for (; e && e !== document.body; e = e.parentElement) if (getComputedStyle(e).overflowX !== "visible") return true; return false; };
  const wide = [];
  article.querySelectorAll(":not(mx-tex *, svg *)").forEach(e => {
    if (e.getBoundingClientRect().right > innerWidth + 1 && !wide.some(w => w.contains(e)) && !scrolls(e) && e.checkVisibility()) wide.push(e);
  });
  wide.slice(0, 3).forEach(e => found.push("cut off at the right edge: " + name(e) + " " + e.textContent.trim().slice(0, 40)));
  return found;
}
