"""What of a lab's text is shown on a slide: formulas, lists, tables, terms and what opens in bold. The rest is said.

A slide is read from the last row while somebody speaks. So a paragraph goes into the speaker's notes, whole, and only
the sentences stay that one has to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TAG = re.compile(r"</?(?:a|b|br|div|em|i|kbd|p|span|strong|sub|summary|sup)\b[^<>]*>")  # and no i<j of a formula
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)\s]*\)")
ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s")
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-ZÀ-Þ*_$\[`\"“])")
MOST = 95  # words on a slide
LEAD = 40  # words under a heading, or of a paragraph that explains a term
FORMULA = 22  # words that a displayed formula takes the room of
ROW = 8  # words that a line of a list or a table takes the room of, besides its own


def blocks(source: str) -> list[str]:
    """The paragraphs of a Markdown cell, without what is folded away, code, and the addresses of links."""
    text = re.sub(r"<details>.*?</details>|```.*?```", "", source, flags=re.S)
    text = LINK.sub(r"\1", TAG.sub("", text))
    found = []
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip().split("\n")
        first = next((i for i, line in enumerate(lines) if ITEM.match(line)), 0)
        found += ["\n".join(lines[:first]), "\n".join(lines[first:])]
    return [block for block in found if block.strip()]


def sentences(block: str) -> list[str]:
    """The sentences of a paragraph; a line that was broken in the middle is one."""
    return SENTENCE.split(" ".join(block.split()))


def first_sentences(block: str, most: int = LEAD) -> str:
    """As many whole sentences from the beginning as have at most so many words; at least one."""
    taken: list[str] = []
    for sentence in sentences(block):
        if taken and len(" ".join([*taken, sentence]).split()) > most:
            break
        taken.append(sentence)
    return " ".join(taken)


def is_text(block: str) -> bool:
    """Whether a block is a paragraph: no list, no table, no quotation, no displayed formula."""
    return not (ITEM.match(block) or block.startswith(("|", ">", "#")) or "$$" in block)


def lead(source: str) -> str:
    """The first sentences of a text, if it begins with a paragraph."""
    found = blocks(source)
    return first_sentences(found[0]) if found and is_text(found[0]) else ""


def points(source: str) -> Iterator[str]:
    """What of a Markdown cell has to be seen, block by block, as Markdown.

    Displayed formulas, lists, tables and quotations, each with the sentence that leads to it; paragraphs that open in
    bold, shortened; sentences that explain a term (``**[term](glossary.md#term)**``).
    """
    before = ""  # the last sentence of the paragraph above, if it was not shown
    for raw, block in zip(_raw(source), blocks(source), strict=True):
        if not is_text(block):
            yield from [before] * bool(before)
            yield block
            before = ""
            continue
        said = sentences(block)
        terms = [place for place, linked in enumerate(sentences(raw)) if "**[" in linked]
        if block.startswith("**") and not raw.startswith("**["):
            shown = first_sentences(block, 30)
        elif len(block.split()) <= LEAD and terms:
            shown = " ".join(said)
        else:
            shown = " ".join(said[place] for place in terms)
        if shown:
            yield shown
        before = "" if shown.endswith(said[-1]) or len(said[-1].split()) > LEAD else said[-1]


def without(shown: Iterable[str], lead: str) -> Iterator[str]:
    """The same blocks without the sentences that stand under the heading already."""
    there = sentences(lead)
    for block in shown:
        left = " ".join(one for one in sentences(block) if one not in there) if is_text(block) else block
        if left:
            yield left


def _raw(source: str) -> list[str]:
    """The same blocks with the marks of their terms, which `blocks` takes away with all links."""
    kept = re.sub(r"\*\*\[([^\[\]]+)\]\(glossary\.md#[^)]*\)\*\*", r"**&#91;\1**", source)
    return [block.replace("**&#91;", "**[") for block in blocks(kept)]


def room(block: str) -> int:
    """What a block takes on a slide, counted in words."""
    if "$$" in block:
        return FORMULA * block.count("$$") // 2
    lines = block.split("\n")
    listed = sum(bool(ITEM.match(line)) or line.startswith("|") for line in lines)
    return len(block.split()) + ROW * max(listed, 1)


def pages(shown: Iterable[str], most: int = MOST) -> Iterator[str]:
    """Blocks packed onto as few slides as hold them, in their order. A list that is too long is continued."""
    page: list[str] = []
    for block in (part for whole in shown for part in _parts(whole, most)):
        if page and sum(map(room, page)) + room(block) > most:
            leads = is_text(page[-1]) and not is_text(block)  # a sentence stays with what it leads to
            kept = [page.pop()] if leads and room(page[-1]) + room(block) <= 1.2 * most else []
            if page:
                yield "\n\n".join(page)
            page = kept
        page.append(block)
    if page:
        yield "\n\n".join(page)


def _parts(block: str, most: int) -> Iterator[str]:
    """A block, or its items in groups that fit."""
    if room(block) <= most or not ITEM.match(block):
        yield block
        return
    items: list[str] = []
    for line in block.split("\n"):
        if ITEM.match(line) or not items:
            items.append(line)
        else:
            items[-1] += f"\n{line}"
    group: list[str] = []
    total = sum(map(room, items))
    even = total / -(-total // most)  # so that no item stands alone on the last slide
    for item in items:
        if group and sum(map(room, group)) + room(item) / 2 > even:
            yield "\n".join(group)
            group = []
        group.append(item)
    yield "\n".join(group)
