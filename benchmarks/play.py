"""The page to play with: its size, how soon it opens, and the time of a frame while each search plays.

    python benchmarks/play.py                 # needs Chromium
    python benchmarks/play.py --slower 4      # as on a processor that is four times slower: about a phone's

A frame has 16.7 ms. `script` is what the page itself computes in it: the search, ahead of what is shown, and drawing.
Where other work has the processor, frames are late and `script` waits too; `processor` counts only the time that the
browser's processes had: all of them, whatever they painted, without a graphics card.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from nasviz.course import play

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
SEARCHES = ("random", "evolution", "local", "reinforce")

# Plays 300 trainings at 60 a second from the start, with nothing computed yet; notes the time of each frame.
PLAYED = """() => new Promise((done) => {
  const { page } = play;
  const { watch } = page.views;
  const frames = [], script = [];
  let last = 0, worked = page.stats.ms;
  const look = (now) => {
    if (last) frames.push(now - last);
    script.push(page.stats.ms - worked);
    [last, worked] = [now, page.stats.ms];
    watch.playing || frames.length < 5 ? requestAnimationFrame(look) : done([frames, script.slice(1)]);
  };
  watch.begunFor = watch.rivals = "";
  watch.begin();
  watch.toggle();
  requestAnimationFrame(look);
})"""


def report(name: str, value: str, bound: str) -> None:
    print(f"{name:<62} {value:>18}   (must: {bound})", flush=True)


def share(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def processor(session) -> float:
    """Seconds of processor time that the browser's processes have had."""
    return sum(one["cpuTime"] for one in session.send("SystemInfo.getProcessInfo")["processInfo"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slower", type=float, default=1, help="slow the processor down by so much")
    slower = parser.parse_args().slower
    from conftest import CHROMIUM, CHROMIUM_FLAGS
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = play.write(Path(folder, "play.html"))
        report("play.html, bytes", f"{file.stat().st_size:,}", "≤ 2,000,000")
        if path is None:
            return print("no Chromium found: nothing else is measured")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        whole = browser.new_browser_cdp_session()
        for width, height in ((1920, 1080), (360, 740)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            for search in SEARCHES:
                start = time.perf_counter()
                page.goto("about:blank")
                page.goto(f"file://{file}#search={search}&trainings=300&speed=60")
                page.wait_for_selector("#watch[data-ready=true]")
                opened = time.perf_counter() - start
                before = processor(whole)
                frames, script = page.evaluate(PLAYED)
                spent = 1e3 * (processor(whole) - before) / len(frames)
                rate = f"{1e3 / statistics.mean(frames):.0f}; {share(frames, 0.95):.0f}"
                report(f"{width} px, {search}: opened and drawn, s", f"{opened:.2f}", "–")
                report("  frames/s; 95 % of frames within, ms", rate, "60; 17")
                work = f"{statistics.median(script):.1f}; {share(script, 0.95):.1f}; {max(script):.0f}"
                report("  processor, ms a frame", f"{spent:.1f}", "≤ 16.7")
                report("  script ms a frame: median; 95 %; worst", work, "≤ 16.7")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
