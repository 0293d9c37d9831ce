"""The formats of the bank: what is written is read back, by readers written here."""

import io
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasviz.course import commands
from nasviz.course.bank import collect, gift, labs, markdown, qti
from nasviz.course.bank.question import Drawn, Item, Wrong, written
from nasviz.course.bank.text import as_html, from_html, title
from nasviz.paths import labs_dir

ODD = Item(
    "toy.odd", "03-toy", "braces { and } ~ = # : \\", "easy",
    Drawn("Is x < 5 & y > 2?\n\n- A: {x} = 1\n- B: ~y # 2\n\nSay \\ or | or *so*.", "a = {b}: ~c#", "So: #1 {2}.",
          (Wrong("a = {b}", "No: ~1."), Wrong("<b>&amp;</b>", "No = 2 * `3`."))),
    (2, 0, 1),
)  # fmt: skip
NUMBER = Item(
    "toy.number", "03-toy", "t", "hard",
    Drawn("How many?", -0.125, "So.", (Wrong(0.5, "Half."), Wrong(1e-5, "Nothing.")), 0.01, " %"),
)  # fmt: skip


@pytest.fixture(scope="module")
def items():
    every = labs.find(labs_dir())
    chosen = [labs.chosen(every, one, collect.NUMBERS) for one in ("0", "2", "13", "14")]
    return [ODD, NUMBER, *collect.items(chosen, "all", seed=5, count=2)]


def sayings(item):
    """What a format must carry: the text, and each answer with whether it is right and why it is wrong."""
    right = [place == item.place for place in range(len(item.options))]
    return item.drawn.text.strip(), [
        (answer, good, "" if good else why) for (answer, why), good in zip(item.options, right, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------------------- GIFT
def scan(text, stops):
    """Read up to one of some characters that is not behind a backslash: what was read, unescaped, and the rest."""
    out = []
    at = 0
    while at < len(text) and text[at] not in stops:
        if text[at] == "\\":
            at += 1
            out.append("\n" if text[at] == "n" else text[at])
        else:
            out.append(text[at])
        at += 1
    return "".join(out), text[at:]


def read_gift(source):
    found = {}
    for block in re.split(r"\n\s*\n", source):
        lines = [one for one in block.strip().splitlines() if not one.startswith(("//", "$CATEGORY"))]
        if not lines:
            continue
        text = "\n".join(lines)
        assert text.startswith("::")
        name, rest = scan(text[2:], ":")
        rest = rest.removeprefix("::").removeprefix("[html]")
        asked, rest = scan(rest, "{")
        numeric = rest.startswith("{#\n")
        rest = rest[2 if numeric else 1 :]
        answers = []
        while not rest.lstrip().startswith("####"):
            rest = rest.lstrip()
            mark, rest = rest[0], rest[1:]
            assert mark in "=~"
            good = mark == "=" and not rest.startswith("%0%")
            rest = rest.removeprefix("%0%")
            if numeric:
                number, tolerance, rest = re.match(r"(-?[\d.]+):([\d.]+)(.*)\Z", rest, re.S).groups()
                answer = (float(number), float(tolerance))
            else:
                answer, rest = scan(rest, "=~#\n")
            why = ""
            if rest.startswith("#") and not rest.startswith("####"):
                why, rest = scan(rest[1:], "=~#\n}")
            answers.append((answer, good, why))
        because, rest = scan(rest.lstrip()[4:], "}")
        assert rest.strip() == "}"
        found[name] = asked, answers, because.strip()
    return found


def test_gift_is_read_back(items):
    found = read_gift(gift.write(items))
    assert len(found) == len(items)
    for item in items:
        asked, answers, because = found[title(item)]
        text, said = sayings(item)
        unit = f"\n\nAnswer in: {item.drawn.unit.strip()}." if item.drawn.unit else ""
        assert from_html(asked) == flat(text) + unit
        assert from_html(because) == flat(item.drawn.because)
        for (answer, good, why), (meant, is_right, reason) in zip(answers, said, strict=True):
            assert good == is_right and from_html(why) == flat(reason)
            if item.drawn.numeric:
                assert answer == (pytest.approx(meant, rel=1e-9, abs=1e-9), pytest.approx(item.drawn.tolerance))
            else:
                assert from_html(answer) == meant


SPECIAL = st.text(st.sampled_from("~=#{}:\\n /%[]<>&$*µτ→-1"), min_size=1, max_size=12).map(" ".join)


@given(st.lists(SPECIAL, min_size=4, max_size=4), st.lists(SPECIAL, min_size=2, max_size=2, unique=True))
def test_no_text_is_taken_for_a_mark_of_gift(texts, answers):
    asked, because, why, tests = (f"x {text} x" for text in texts)
    right, wrong = (f"x {text} x" for text in answers)
    item = Item("a.b", "03-toy", tests, "easy", Drawn(asked, right, because, (Wrong(wrong, why),)), (1, 0))
    source = gift.write([item, NUMBER])
    found = read_gift(source)
    assert len(found) == 2 and found[title(item)] == (
        as_html(asked), [(as_html(wrong), False, as_html(why)), (as_html(right), True, "")], as_html(because),
    )  # fmt: skip


@given(st.floats(-1e300, 1e300))  # ten digits of the largest floats may stand for none
def test_a_number_is_written_without_a_power_of_ten_and_keeps_ten_digits(number):
    text = gift.exact(number)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text) and float(text) == pytest.approx(number, rel=1e-9, abs=0)


def test_names_are_unique_and_short_and_of_a_number_the_right_one_is_tried_first():
    items = collect.items(labs.find(labs_dir()), "all", seed=3, count=2)
    assert len({item.name for item in items}) == len({title(item) for item in items}) == len(items) > 150
    assert max(len(title(item)) for item in items) <= 255  # what Moodle keeps of a name
    assert {item.place for item in items if item.drawn.numeric} == {0}  # its tolerance counts, not that of a wrong one


def flat(text):
    """A text whose paragraphs have no ends of lines in them, as HTML shows it."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(part if part.startswith("- ") else " ".join(part.split("\n")) for part in parts)


def test_gift_names_a_category_for_each_lab(items):
    found = re.findall(r"^\$CATEGORY: (.*)$", gift.write(items), re.M)
    assert found == [f"nasviz/{one}" for one in dict.fromkeys(item.lab for item in items)]


# ----------------------------------------------------------------------------------------------------------------- QTI
def test_qti_is_read_back(items):
    with zipfile.ZipFile(io.BytesIO(qti.write(items))) as archive:
        manifest = ET.fromstring(archive.read("imsmanifest.xml"))
        hrefs = [one.get("href") for one in manifest.iter(f"{{{qti.PACKAGE}}}file")]
        assert hrefs == ["nasviz/nasviz.xml"] and sorted(archive.namelist()) == sorted(["imsmanifest.xml", *hrefs])
        root = ET.fromstring(archive.read(hrefs[0]))
    name = {"q": qti.XMLNS}
    found = root.findall(".//q:item", name)
    assert len(found) == len(items) == len({one.get("ident") for one in found})
    for one, item in zip(found, items, strict=True):
        text, said = sayings(item)
        unit = f"\n\nAnswer in: {item.drawn.unit.strip()}." if item.drawn.unit else ""
        assert from_html(one.find("q:presentation/q:material/q:mattext", name).text) == flat(text) + unit
        entries = {f[0].text: f[1].text for f in one.iter(f"{{{qti.XMLNS}}}qtimetadatafield")}
        assert (entries["tests"], entries["level"]) == (item.tests, item.level)
        why = {
            f.get("ident"): from_html(f.find(".//q:mattext", name).text) for f in one.findall("q:itemfeedback", name)
        }
        labels = {
            o.get("ident"): from_html(o.find(".//q:mattext", name).text)
            for o in one.findall(".//q:render_choice/q:response_label", name)
        }
        conditions = one.findall(".//q:respcondition", name)
        for condition, (answer, good, reason) in zip(conditions, said, strict=True):
            assert (condition.find("q:setvar", name) is not None) == good
            told = why[condition.find("q:displayfeedback", name).get("linkrefid")]
            assert told == flat(item.drawn.because if good else reason)
            equal = condition.find(".//q:varequal", name).text
            if item.drawn.numeric:
                ends = [float(condition.find(f".//q:{end}", name).text) for end in ("vargte", "varlte")]
                assert float(equal) == pytest.approx(answer, rel=1e-9, abs=1e-9)
                assert ends == pytest.approx([answer - item.drawn.tolerance, answer + item.drawn.tolerance])
            else:
                assert labels[equal] == answer
        assert len(labels) == (0 if item.drawn.numeric else len(said))


# What may stand in what, in which order: the content models of IMS QTI 1.2.1's document type, of what is used here.
MODELS = {
    "questestinterop": "assessment",
    "assessment": "(section )+",
    "section": "(item )*",
    "item": "(itemmetadata )?(presentation )?(resprocessing )*(itemfeedback )*",
    "itemmetadata": "(qtimetadata )*",
    "qtimetadata": "(qtimetadatafield )+",
    "qtimetadatafield": "fieldlabel fieldentry",
    "presentation": "((material|response_lid|response_str) )+",
    "material": "(mattext )+",
    "response_lid": "(material )?(render_choice|render_fib) (material )?",
    "response_str": "(material )?(render_choice|render_fib) (material )?",
    "render_choice": "((material|response_label) )*",
    "render_fib": "((material|response_label) )*",
    "response_label": "((material|flow_mat) )*",
    "resprocessing": "outcomes (respcondition )+",
    "outcomes": "(decvar )+",
    "respcondition": "conditionvar (setvar )*(displayfeedback )*",
    "conditionvar": "((and|or|varequal|vargte|varlte) )+",
    "and": "((and|or|varequal|vargte|varlte) )+",
    "or": "((and|or|varequal|vargte|varlte) )+",
    "itemfeedback": "((flow_mat|material) )+",
    "flow_mat": "((flow_mat|material) )+",
}
TEXTS = (
    "fieldlabel fieldentry mattext varequal vargte varlte setvar decvar displayfeedback".split()
)  # no element in them
NEEDED = {"assessment": "ident", "section": "ident", "item": "ident", "response_lid": "ident", "response_str": "ident",
          "response_label": "ident", "itemfeedback": "ident", "varequal": "respident", "vargte": "respident",
          "varlte": "respident", "displayfeedback": "linkrefid"}  # fmt: skip


def test_qti_has_the_structure_that_is_published(items):
    with zipfile.ZipFile(io.BytesIO(qti.write(items))) as archive:
        root = ET.fromstring(archive.read("nasviz/nasviz.xml"))
    for one in root.iter():
        name = one.tag.removeprefix(f"{{{qti.XMLNS}}}")
        inside = "".join(f"{child.tag.removeprefix(f'{{{qti.XMLNS}}}')} " for child in one)
        assert re.fullmatch(MODELS[name].rstrip() + " ?", inside) if name in MODELS else name in TEXTS and not inside
        assert NEEDED.get(name, "ident") in one.attrib or name not in NEEDED
    for item in root.iter(f"{{{qti.XMLNS}}}item"):
        names = [one.get("ident") for one in item.iter() if one.get("ident")]
        asked = {one.get("respident") for one in item.iter() if one.get("respident")}
        told = {one.get("linkrefid") for one in item.iter() if one.get("linkrefid")}
        assert len(set(names)) == len(names) and asked == {"response1"} and asked | told <= set(names)


def test_the_zip_has_the_same_bytes_each_time(items):
    assert qti.write(items) == qti.write(items)


# ------------------------------------------------------------------------------------------------------------ Markdown
def bare(text):
    return re.sub(r"\\([\\*_<>|`\[\]])", r"\1", text)


def test_markdown_is_read_back(items):
    page = markdown.write(items)
    blocks = re.split(r"^### ", page, flags=re.M)[1:]
    assert len(blocks) == len(items)
    for block, item in zip(blocks, items, strict=True):
        asked, fold = block.split(markdown.FOLD)
        head, about, rest = asked.split("\n\n", 2)
        assert bare(head) == title(item)
        assert bare(about) == f"*{item.level} · tests: {item.tests}*"
        text, said = sayings(item)
        assert bare(rest).startswith(text)
        letters = re.findall(r"^\((\w)\) (.*)$", rest, re.M)
        if item.drawn.numeric:
            assert not letters and f"**{written(item.drawn.right, item.drawn.unit)}**" in fold
        else:
            assert [bare(answer) for _, answer in letters] == [answer for answer, _, _ in said]
            assert re.search(r"\*\*\((\w)\)\*\*", fold)[1] == letters[item.place][0]
        for _, good, reason in said:
            assert good or reason in bare(fold)


def test_markdown_without_answers_holds_no_answer(items):
    page = bare(markdown.write(items, answers=False))
    assert markdown.FOLD not in page
    for item in items[2:]:
        assert item.drawn.because not in page and not any(one.why in page for one in item.drawn.wrong)


def test_html_and_back():
    text = "One < two.\n\n- A & B\n- {C}\n\nThree."
    assert as_html(text) == "<p>One &lt; two.</p><ul><li>A &amp; B</li><li>{C}</li></ul><p>Three.</p>"
    assert from_html(as_html(text)) == text


# --------------------------------------------------------------------------------------------------------- the command
def run(*arguments):
    return commands.main(["questions", *map(str, arguments)])


def test_the_command_writes_a_lab_and_never_over_a_file(tmp_path, capsys):
    out = tmp_path / "lab03.gift"
    assert run("--lab", 3, "--seed", 7, "--count", 2, "--kind", "transfer", "--format", "gift", "--out", out) == 0
    first = out.read_text("utf-8")
    assert len(read_gift(first)) == 6 and "03-reinforce" in first
    assert run("--lab", 3, "--format", "gift", "--out", out) == 2 and out.read_text("utf-8") == first
    assert "is not there yet" in capsys.readouterr().err
    assert run("--lab", "reinforce", "--seed", 8, "--kind", "transfer") == 0
    other = capsys.readouterr().out
    assert other.count("### ") == 3 and run("--lab", "03", "--seed", 8, "--kind", "transfer") == 0
    assert capsys.readouterr().out == other


def test_the_command_says_what_it_cannot_do(tmp_path, capsys):
    assert run("--lab", 99) == 2 and "there is no lab '99'; there are 00-start-here" in capsys.readouterr().err
    assert run("--lab", 3, "--format", "qti") == 2 and "--out" in capsys.readouterr().err
    assert run("--lab", 3, "--format", "gift", "--no-answers") == 2 and "--no-answers" in capsys.readouterr().err
    assert run("--labs", tmp_path) == 2 and "there are no labs" in capsys.readouterr().err


def test_a_lab_that_is_not_there_yet_has_its_questions(capsys):
    assert run("--lab", 14, "--kind", "transfer") == 0
    assert capsys.readouterr().out.count("### 14-") == 3
