// A slide never scrolls: where a reader's fonts are wider than ours, its letters become smaller until all of it is seen.
function fit(slide) {
  for (let size = 1; size > 0.5 && (slide.scrollHeight > 720 || slide.scrollWidth > 1280); ) {
    size -= 0.04;
    slide.style.setProperty("--fit", size);
  }
}
const all = () => document.querySelectorAll(".slides section[data-kind]:not(.stack)").forEach(fit);
Reveal.on("ready", (event) => fit(event.currentSlide));
Reveal.on("slidechanged", (event) => fit(event.currentSlide));
const light = ({ contentDocument }) => contentDocument?.documentElement.style.setProperty("color-scheme", "light");
Reveal.on("pdf-ready", () => {
  all();
  for (const frame of document.querySelectorAll("iframe")) {
    light(frame); // a replay has the theme of the system, and paper has not
    frame.addEventListener("load", () => light(frame));
  }
});
