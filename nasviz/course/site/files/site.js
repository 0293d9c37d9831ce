// site.js: theme, menu, what scrolls, print. Plain scripts that share nothing but `nasviz`: a page from a disk loads no modules.

window.nasviz = {
  /** What this browser remembers, under a name; where it remembers nothing (a strict mode), pages work without. */
  recall(name) {
    try {
      return JSON.parse(localStorage.getItem("nasviz:" + name));
    } catch {
      return null;
    }
  },
  remember(name, value) {
    try {
      localStorage.setItem("nasviz:" + name, JSON.stringify(value));
    } catch {}
  },
  /** A new element with properties, at the end of another. */
  make(tag, properties = {}, parent = undefined) {
    const made = Object.assign(document.createElement(tag), properties);
    return parent ? parent.appendChild(made) : made;
  },
};

(() => {
  const root = document.documentElement;
  const button = document.querySelector("button.theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.style.colorScheme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => {
    button.textContent = isDark() ? "☀ Light" : "☾ Dark";
    button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const scheme = isDark() ? "light" : "dark";
    root.style.colorScheme = scheme; // the stages of a page look at this attribute
    try {
      localStorage.setItem("nasviz:theme", scheme);
    } catch {}
    name();
  });
  dark.addEventListener("change", name);
  name();

  // What is wider than the page scrolls by itself; then it can be reached by keys, too.
  const NAMES = [[".formula", "Formula"], ["pre", "Code or text"], [".chart", "Chart"], ["*", "Table"]];
  const scrolls = () => {
    for (const one of document.querySelectorAll(".scrolls")) {
      if (one.scrollWidth > one.clientWidth + 1) {
        one.tabIndex = 0;
        one.setAttribute("role", "group"); // no landmark: a lab has dozens
        one.setAttribute("aria-label", NAMES.find(([what]) => one.matches(what))[1]);
      } else for (const attribute of ["tabindex", "role", "aria-label"]) one.removeAttribute(attribute);
    }
  };
  addEventListener("resize", scrolls);
  document.addEventListener("toggle", scrolls, true);
  document.addEventListener("nasviz:shown", scrolls);
  scrolls();
  document.fonts?.ready.then(scrolls);

  addEventListener("beforeprint", () => {
    for (const picture of document.images) picture.loading = "eager"; // what nobody has scrolled to, too
    for (const one of document.querySelectorAll("main details:not([open])")) {
      one.open = true;
      one.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const one of document.querySelectorAll("details[data-printed]")) {
      one.open = false;
      delete one.dataset.printed;
    }
  });

  const forget = document.querySelector("button.forget");
  forget.hidden = false;
  forget.addEventListener("click", () => {
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith("nasviz:asked-")) localStorage.removeItem(key);
    } catch {}
    document.querySelector(".forgotten").textContent = "Forgotten. Load a page again to be asked again.";
  });
})();
