"""What a class predicted: each student's answers in a file, if the student says so, and a histogram of all files.

    course.share("answers")                                       in a notebook: from now on answers are kept
    python -m nasviz course histogram FOLDER --lab 3 --out page.html

=================================== ==================================================================================
`nasviz.course.histogram.answers`   a student's file: what stands in it, how it is written and read
`nasviz.course.histogram.count`     the files of a class, counted for each prediction
`nasviz.course.histogram.page`      the counts as a page, and as text for a terminal
`nasviz.course.histogram.command`   the command
=================================== ==================================================================================
"""
