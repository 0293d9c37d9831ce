"""The labs as pages: ``python -m nasviz course site OUT`` writes them, and they need no server and no network.

A folder of plain files, which a browser opens from a disk, a USB stick or any web server: a page for each lab, the page
to play with, the glossary, the reference. The pages are made from the notebooks as they are stored, so that nothing is
computed. With ``--run FOLDER`` each lab is run once, and stages replay and charts are live.

`nasviz.course.site.build` is the entry. It needs the extra ``site``.
"""
