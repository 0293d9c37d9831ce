// live.js: stages that replay and charts that answer, in the place of their pictures, once they come into sight.
// Uses site.js; stage.js for stages; plotly.js is loaded for the first chart.

(() => {
  const { make } = nasviz;
  let plotly; // a promise

  const load = () =>
    (plotly ??= new Promise((done, failed) => {
      const script = make("script", { src: "site/plotly.js" });
      script.addEventListener("load", () => done(window.Plotly));
      script.addEventListener("error", failed);
      document.head.append(script);
    }));

  const DRAW = {
    async stage(host, { spec, marks, count, columns }) {
      const { History, mount, unpack } = NasvizStage;
      const arrays = await Promise.all(Object.keys(spec.arrays).map((name) => unpack(columns[name])));
      const history = new History(spec.arrays);
      history.marks = marks;
      history.put(0, count, arrays);
      return () => mount(host, spec, history, new AbortController().signal, { live: false })("grow");
    },
    async chart(host, { data, layout }, { fallback }) {
      const { newPlot } = await load();
      const config = { responsive: true, displaylogo: false, showSendToCloud: false };
      const height = layout.height ?? fallback.clientHeight;
      const plot = make("div", {}, make("div", { className: "chart scrolls" }, host)); // on a phone wider than the page
      return () => newPlot(plot, data, { ...layout, width: undefined, height, autosize: true }, config);
    },
    async curve(host, { results }, { figure }) {
      const one = nasviz.asked?.get(figure.dataset.question);
      if (!one?.draw) throw new Error("this curve was drawn on paper");
      return () => {
        one.model.set("results", results);
        one.draw(host);
      };
    },
  };

  async function show(figure) {
    const fallback = figure.querySelector("img");
    const told = JSON.parse(figure.querySelector("script").textContent);
    const host = make("div", { className: "drawn" });
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", fallback.alt);
    try {
      const draw = await DRAW[figure.dataset.draws](host, told, { fallback, figure });
      figure.prepend(host);
      figure.classList.add("on"); // the picture stays, for print
      figure.tabIndex = -1; // who tabbed to it goes on inside
      await draw();
      figure.dispatchEvent(new CustomEvent("nasviz:shown", { bubbles: true }));
    } catch {
      host.remove(); // the picture stays, as in a browser that is too old
      figure.classList.remove("on");
      figure.removeAttribute("tabindex");
    }
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        show(target);
      }
    },
    { rootMargin: "400px" },
  );
  for (const figure of document.querySelectorAll("figure.live")) {
    figure.tabIndex = 0; // else keys would pass by what is not drawn yet
    near.observe(figure); // what is covered is not in sight
  }
})();
