// asked.js: questions that are answered before their result is seen. Uses site.js, curve.js and live.js.
//
// An answer is kept in this browser. Outputs that may give the result away carry the names of the questions that they wait
// for; they are covered until each of these has an answer, or the reader wants none.

(() => {
  const { make, recall, remember } = nasviz;
  const asked = new Map(); // name → { told, host, answer, opened }
  const SKIPPED = { skipped: true };

  const unit = (one, value) => `${value.toLocaleString("en")}${one.told.unit ?? ""}`;
  const text = (one, value) => (typeof value === "number" ? unit(one, value) : Array.isArray(value) ? value.join(", ") : value);

  const FORMS = {
    number(one) {
      const { low, high, step } = one.told;
      const middle = low + step * Math.round((high - low) / 2 / step);
      const row = make("div", { className: "row" }, one.form);
      const slider = make("input", { type: "range", min: low, max: high, step, value: middle, ariaLabel: "I guess" }, row);
      const field = make("input", { type: "number", min: low, max: high, step: "any", value: +middle.toPrecision(6), ariaLabel: "My guess as a number" }, row);
      if (one.told.unit) make("span", { textContent: one.told.unit.trim() }, row);
      slider.addEventListener("input", () => (field.value = +Number(slider.value).toPrecision(6)));
      field.addEventListener("input", () => (slider.value = field.value));
      make("button", { textContent: "That is my guess" }, row);
      const wrong = make("p", { className: "wrong" }, one.form);
      wrong.setAttribute("role", "alert");
      one.read = () => {
        const value = field.value.trim() === "" ? NaN : Number(field.value);
        const fits = value >= low && value <= high;
        wrong.textContent = fits ? "" : `A number from ${low.toLocaleString("en")} to ${high.toLocaleString("en")}, please.`;
        if (!fits) field.focus();
        return fits ? value : null;
      };
    },
    choice(one) {
      const box = make("fieldset", {}, one.form);
      make("legend", { className: "hidden", textContent: one.host.querySelector(".asks").textContent }, box);
      for (const option of one.told.options) {
        const label = make("label", {}, box);
        make("input", { type: "radio", name: one.name, value: option }, label);
        label.append(" ", option);
      }
      make("button", { textContent: "That is my answer" }, one.form);
      const wrong = make("p", { className: "wrong" }, one.form);
      wrong.setAttribute("role", "alert");
      one.read = () => {
        const chosen = box.querySelector("input:checked");
        wrong.textContent = chosen ? "" : "Choose one of the answers.";
        return chosen ? chosen.value : null;
      };
    },
    ranking(one) {
      const order = [...one.told.options];
      const list = make("ol", { className: "order" }, one.form);
      const spoken = make("p", { className: "hidden" }, one.form);
      spoken.setAttribute("role", "status");
      const paint = (focus) => {
        list.replaceChildren();
        order.forEach((name, n) => {
          const item = make("li", {}, list);
          for (const [sign, by, word] of [["↑", -1, "better"], ["↓", 1, "worse"]]) {
            const move = make("button", { type: "button", textContent: sign, ariaLabel: `${name}: ${word}`, disabled: !order[n + by] }, item);
            move.addEventListener("click", () => {
              [order[n], order[n + by]] = [order[n + by], order[n]];
              spoken.textContent = `${name} is number ${n + by + 1}`;
              paint([n + by, word]);
            });
            if (focus && focus[0] === n && focus[1] === word) queueMicrotask(() => (move.disabled ? item.querySelector("button:enabled") : move).focus());
          }
          make("span", { textContent: name }, item);
        });
      };
      paint();
      make("button", { textContent: "That is my bet" }, one.form);
      one.read = () => [...order];
    },
    curve(one) {
      const axes = one.host.querySelector(".axes");
      if (!one.told.x) { // its axes are not written out in the lab: on paper, then
        make("button", { textContent: "I have drawn it on paper" }, one.form);
        one.read = () => [];
        return;
      }
      axes.remove();
      const heard = [];
      const state = { spec: one.told, drawn: one.answer?.length ? one.answer : [], results: [] };
      one.model = {
        get: (name) => state[name],
        set: (name, value) => {
          if (name !== "drawn" || one.answer === null) state[name] = value;
          if (name === "results") for (const hear of heard) hear();
        },
        on: (_, hear) => heard.push(hear),
        off: () => {},
        save_changes: () => {},
      };
      one.draw = (el) => NasvizCurve.render({ model: one.model, el });
      one.host.querySelector(".asks").remove();
      one.form.before(make("div", { className: "pad" }));
      one.draw(one.host.querySelector(".pad"));
      one.host.querySelector(".pad b").parentElement.classList.add("asks");
      make("button", { textContent: "That is my curve" }, one.form);
      const wrong = make("p", { className: "wrong" }, one.form);
      wrong.setAttribute("role", "alert");
      one.read = () => {
        const drawn = state.drawn.filter((value) => value !== null).length > 1;
        wrong.textContent = drawn ? "" : "Draw a curve first.";
        return drawn ? [...state.drawn] : null;
      };
    },
  };

  for (const host of document.querySelectorAll(".question")) {
    const told = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    const one = { name: host.id, told, host, answer: recall(host.id), form: null };
    asked.set(one.name, one);
    host.querySelector(".options")?.remove();
    one.form = make("form", { noValidate: true }, host);
    one.form.setAttribute("aria-label", host.querySelector(".asks").textContent);
    one.said = make("p", { className: "answered" }, host);
    one.said.setAttribute("role", "status");
    one.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = one.read();
      if (answer !== null) answered(one, answer);
    });
    FORMS[told.kind](one);
    after(one);
  }

  function answered(one, answer) {
    one.answer = answer;
    remember(one.name, answer);
    after(one);
    open();
  }

  /** What a question looks like once it has its answer, or none is wanted. */
  function after(one) {
    if (one.answer === null) return;
    one.form.hidden = true;
    const pad = one.host.querySelector(".pad");
    if (pad) {
      pad.classList.add("done");
      pad.querySelector("svg").tabIndex = -1;
    }
    const skipped = one.answer.skipped;
    const value = one.told.kind === "curve" ? "the curve above" : skipped || text(one, one.answer);
    one.said.replaceChildren(skipped ? "You made no prediction. " : "Your answer: ");
    if (!skipped) make("strong", { textContent: value }, one.said);
    const place = document.querySelector(`.reveal[data-question="${CSS.escape(one.name)}"]`);
    if (place) {
      place.id = "came-of-" + one.name;
      one.said.append(skipped ? "" : ". ");
      make("a", { href: "#" + place.id, textContent: "See what came out" }, one.said);
    }
  }

  // ------------------------------------------------------------------------------------------- what waits for answers
  const waiting = [];
  for (const outputs of document.querySelectorAll("[data-needs]")) {
    const names = outputs.dataset.needs.split(" ").filter((name) => asked.has(name));
    const cover = make("div", { className: "cover" });
    outputs.before(cover);
    waiting.push({ outputs, names, cover, shown: false });
  }

  function open() {
    for (const one of waiting) {
      if (one.shown) continue;
      const missing = one.names.filter((name) => asked.get(name).answer === null);
      if (missing.length) {
        covered(one, missing);
        continue;
      }
      one.shown = true;
      one.cover.remove();
      one.outputs.classList.add("open");
      for (const reveal of one.outputs.querySelectorAll(".reveal")) compare(reveal, asked.get(reveal.dataset.question));
      one.outputs.dispatchEvent(new CustomEvent("nasviz:shown", { bubbles: true }));
    }
  }

  function covered({ cover, outputs }, missing) {
    cover.replaceChildren();
    const words = make("p", { textContent: "Covered, until you answer: " }, cover);
    for (const [n, name] of missing.entries()) {
      if (n) words.append(" · ");
      make("a", { href: "#" + name, textContent: asked.get(name).host.querySelector(".asks").textContent.trim() }, words);
    }
    const skip = make("button", { type: "button", textContent: "Show without an answer" }, cover);
    skip.addEventListener("click", () => {
      for (const name of missing) {
        asked.get(name).answer = SKIPPED;
        remember(name, SKIPPED);
        after(asked.get(name));
      }
      open();
      outputs.tabIndex = -1;
      outputs.focus({ preventScroll: true });
    });
  }

  /** Put the answer beside what came out. */
  function compare(reveal, one) {
    const yours = reveal.querySelector(".yours");
    const { told, answer } = one;
    if (answer.skipped) {
      yours.textContent = "You made no prediction: guessing first is half of the lesson.";
    } else if (told.kind === "choice") {
      if (answer === told.truth) yours.textContent = "As you said.";
      else yours.append("You said: ", make("strong", { textContent: answer }), ".");
    } else if (told.kind === "number") {
      const truth = parseFloat(told.truth.replace(/,/g, ""));
      const off = Number(Math.abs(truth - answer).toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
      yours.append("You said ", make("strong", { textContent: unit(one, answer) }), `: ${off}${(told.unit ?? "").replace(" %", " points")} off.`);
    } else if (told.kind === "ranking") {
      const place = new Map(told.order.map(([name], n) => [name, n]));
      const value = new Map(told.order.map(([name, number]) => [name, parseFloat(number)]));
      let right = 0;
      let pairs = 0;
      for (let a = 0; a < answer.length; a++) {
        for (let b = a + 1; b < answer.length; b++, pairs++) right += value.get(answer[a]) > value.get(answer[b]);
      }
      yours.append("of ", String(pairs), " pairs you had ", make("strong", { textContent: right }), " in the right order.");
      reveal.querySelectorAll("li").forEach((item, n) => item.append(` – you said ${answer.findIndex((name) => place.get(name) === n) + 1}.`));
    }
  }

  nasviz.asked = asked;
  open();
  document.documentElement.classList.add("ready");
})();
