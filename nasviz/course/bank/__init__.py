"""The question bank: transfer questions with numbers drawn by a seed, and the predictions of the labs.

    python -m nasviz course questions --lab 3 --seed 7 --format gift --out lab03.gift

=================================== ====================================================================================
`nasviz.course.bank.question`       what a question is, and how it is drawn
`nasviz.course.bank.spaces`, …      the questions: `spaces` 00, 01; `estimating` 02, 05; `learning` 03, 04; `gradients`
                                    06, 07; `sharing` 08, 09; `devices` 10, 11; `claims` 12, 13; `shrinking` 14
`nasviz.course.bank.predictions`    the predictions, read from the labs; ``predictions.toml`` says why answers are wrong
`nasviz.course.bank.collect`        both, for one lab or all
`nasviz.course.bank.gift`, …        the formats: `gift` (Moodle), `qti` (Canvas), `markdown`
`nasviz.course.bank.command`        the command
=================================== ====================================================================================
"""
