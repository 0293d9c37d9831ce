"""Grading: each exercise of each submission, by the checks of the installed package, in a process of its own.

    python -m nasviz course grade SUBMISSIONS --out grades.csv

==================================== =======================================================================
`nasviz.course.grading.command`      the command: reads a folder, writes a table and a page for each student
`nasviz.course.grading.submissions`  whose notebook of which lab it is, and which cell answers which exercise
`nasviz.course.grading.pristine`     the exercises of the installed labs: stub, check, solution
`nasviz.course.grading.judge`        the verdict on one exercise, reached where no line of a student's runs
`nasviz.course.grading.child`        the process in which a student's code runs, and its limits
`nasviz.course.grading.wire`         what passes between the two: plain data, calls, errors
`nasviz.course.grading.pool`         several judges at once
`nasviz.course.grading.hidden`       second inputs, drawn from a seed
`nasviz.course.grading.report`       the table and the pages
==================================== =======================================================================

What it withstands, and what it does not, is said in docs/grading.md: it is no sandbox.
"""
