// search.js: finds sections of all pages by their words. The index is a script, loaded when somebody begins to search.

(() => {
  const { make } = nasviz;
  const input = document.getElementById("query");
  const box = document.getElementById("found");
  const count = box.querySelector(".count");
  const list = box.querySelector("ol");
  const MOST = 20;
  let index = null;

  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

  function load() {
    if (index || document.querySelector("script[src='search-index.js']")) return;
    const script = make("script", { src: "search-index.js" });
    script.addEventListener("load", () => {
      index = window.NASVIZ_INDEX.map((one) => ({ ...one, head: plain(one.heading), title: plain(one.page), body: plain(one.text) }));
      look();
    });
    document.head.append(script);
  }

  /** How well a section fits: each word must stand in it, at the beginning of a word; 0 if one does not. */
  function worth(one, words) {
    let sum = 0;
    for (const word of words) {
      const at = new RegExp("(^|[^\\p{L}\\p{N}])" + word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gu");
      const here = 12 * (one.head.match(at)?.length ?? 0) + 4 * (one.title.match(at)?.length ?? 0);
      const inside = Math.min(6, one.body.match(at)?.length ?? 0);
      if (!here && !inside) return 0;
      sum += here + inside + (one.head === word ? 40 : 0);
    }
    return one.kind === "term" ? sum + 6 : sum;
  }

  /** Some words around the first place where one of the words stands, the words marked. */
  function excerpt(one, words, host) {
    const first = Math.min(...words.map((word) => one.body.indexOf(word)).filter((at) => at >= 0), one.body.length);
    const from = Math.max(0, one.text.lastIndexOf(" ", Math.max(0, first - 50)));
    const piece = one.text.slice(from, from + 180).trim();
    const found = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    host.append(from ? "… " : "");
    for (const [n, part] of piece.split(new RegExp(`(${found})`, "giu")).entries()) {
      if (n % 2) make("mark", { textContent: part }, host);
      else host.append(part);
    }
    host.append(from + 180 < one.text.length ? " …" : "");
  }

  function look() {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    box.hidden = !words.length;
    list.replaceChildren();
    if (!words.length) return;
    if (!index) {
      count.textContent = "Loading …";
      return;
    }
    const found = index.map((one) => [worth(one, words), one]).filter(([sum]) => sum);
    found.sort((a, b) => b[0] - a[0]);
    const more = found.length > MOST ? `, the first ${MOST} are shown` : "";
    count.textContent = found.length ? `${found.length} section${found.length > 1 ? "s" : ""} found${more}` : "Nothing found";
    for (const [, one] of found.slice(0, MOST)) {
      const link = make("a", { href: one.at }, make("li", {}, list));
      make("span", { className: "heading", textContent: one.heading }, link);
      if (one.page !== one.heading) make("span", { className: "where", textContent: one.page }, link);
      excerpt(one, words, make("span", { className: "text" }, link));
    }
  }

  input.disabled = false;
  input.addEventListener("focus", load);
  input.addEventListener("input", () => (load(), look()));
  const close = () => (box.hidden = true);
  document.querySelector(".search").addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      close();
      input.focus();
    } else if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] ?? input).focus();
    else if (event.key === "Enter" && at < 0 && links.length) links[0].click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", close);
  document.addEventListener("click", (event) => event.target.closest(".search") || close());
  document.addEventListener("focusin", (event) => event.target.closest(".search") || close());
  const TYPED = "input:not([type=range], [type=radio]), textarea, select, [role=application]";
  const slash = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPED)) return;
    event.preventDefault();
    input.focus();
  };
  document.addEventListener("keydown", slash, { capture: true }); // a stage keeps its keys to itself
})();
