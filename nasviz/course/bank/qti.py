"""Questions in QTI 1.2, as a zip that Canvas imports ("QTI .zip file").

Sources: IMS Question & Test Interoperability 1.2 (imsglobal.org), and the metadata that Canvas writes into its own
exports: ``question_type`` and ``points_possible``. One assessment holds all questions. A choice is a
``response_lid``, a number a ``response_str`` with ``render_fib``. Each answer has a sentence of its own as feedback.

Two runs give the same bytes: names are made from the questions, and the zip has no times.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from .gift import exact
from .question import Item
from .text import as_html, title

XMLNS = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
MIDNIGHT = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip


def write(items: Iterable[Item], answers: bool = True) -> bytes:
    """Return questions as a zip: the manifest, and the assessment.

    ``answers`` has to be true: the system marks the answers, so that a file without them is no question.
    """
    if not answers:
        raise ValueError("QTI has no questions without answers: leave --no-answers away, or choose markdown")
    root = ET.Element("questestinterop", xmlns=XMLNS)
    assessment = ET.SubElement(root, "assessment", ident="nasviz", title="nasviz")
    section = ET.SubElement(assessment, "section", ident="root_section")
    for item in items:
        section.append(_item(item))
    manifest = ET.Element("manifest", identifier="nasviz-questions", xmlns=PACKAGE)
    ET.SubElement(manifest, "metadata")
    ET.SubElement(manifest, "organizations")
    resources = ET.SubElement(manifest, "resources")
    one = ET.SubElement(resources, "resource", identifier="nasviz", type="imsqti_xmlv1p2")
    ET.SubElement(one, "file", href="nasviz/nasviz.xml")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, tree in (("imsmanifest.xml", manifest), ("nasviz/nasviz.xml", root)):
            ET.indent(tree)
            text = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
            archive.writestr(zipfile.ZipInfo(name, MIDNIGHT), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _item(item: Item) -> ET.Element:
    drawn = item.drawn
    made = ET.Element("item", ident=item.name, title=title(item))
    fields = ET.SubElement(ET.SubElement(made, "itemmetadata"), "qtimetadata")
    kind = "numerical_question" if drawn.numeric else "multiple_choice_question"
    for label, entry in (
        ("question_type", kind),
        ("points_possible", "1"),
        ("level", item.level),
        ("tests", item.tests),
    ):
        field = ET.SubElement(fields, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text = label
        ET.SubElement(field, "fieldentry").text = entry
    shown = ET.SubElement(made, "presentation")
    unit = f"\n\nAnswer in: {drawn.unit.strip()}." if drawn.unit else ""
    _text(shown, drawn.text + unit)
    if drawn.numeric:
        response = ET.SubElement(shown, "response_str", ident="response1", rcardinality="Single")
        fib = ET.SubElement(response, "render_fib", fibtype="Decimal")
        ET.SubElement(fib, "response_label", ident="answer1")
    else:
        response = ET.SubElement(shown, "response_lid", ident="response1", rcardinality="Single")
        choices = ET.SubElement(response, "render_choice")
        for place, (answer, _) in enumerate(item.options):
            _text(ET.SubElement(choices, "response_label", ident=f"option{place}"), str(answer))
    processing = ET.SubElement(made, "resprocessing")
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    for place, (answer, _) in enumerate(item.options):
        condition = ET.SubElement(processing, "respcondition", attrib={"continue": "No"})
        test = ET.SubElement(condition, "conditionvar")
        if drawn.numeric:
            _within(test, float(answer), drawn.tolerance)
        else:
            ET.SubElement(test, "varequal", respident="response1").text = f"option{place}"
        if place == item.place:
            ET.SubElement(condition, "setvar", action="Set", varname="SCORE").text = "100"
        ET.SubElement(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"feedback{place}")
    for place, (_, why) in enumerate(item.options):
        feedback = ET.SubElement(made, "itemfeedback", ident=f"feedback{place}")
        _text(ET.SubElement(feedback, "flow_mat"), why)
    return made


def _text(parent: ET.Element, text: str) -> None:
    material = ET.SubElement(parent, "material")
    ET.SubElement(material, "mattext", texttype="text/html").text = as_html(text)


def _within(test: ET.Element, number: float, tolerance: float) -> None:
    """The condition that Canvas writes for a number: equal, or between two ends that are allowed."""
    either = ET.SubElement(test, "or")
    ET.SubElement(either, "varequal", respident="response1").text = exact(number)
    both = ET.SubElement(either, "and")
    ET.SubElement(both, "vargte", respident="response1").text = exact(number - tolerance)
    ET.SubElement(both, "varlte", respident="response1").text = exact(number + tolerance)
