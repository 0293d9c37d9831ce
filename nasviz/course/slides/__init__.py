"""A deck of slides for each lab, from the lab as it is stored: ``python -m nasviz course slides OUT``.

`nasviz.course.slides.outline` chooses what is shown, `nasviz.course.slides.prose` what of a text. Nbconvert makes the
slides of it, and reveal.js shows them (`nasviz.course.slides.deck`).
"""
