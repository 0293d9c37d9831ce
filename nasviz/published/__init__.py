"""Published benchmarks, read from the files in which people have them: `nasviz.estimators.Table.published`.

One file here reads one form. `nasviz.published.find` lists the forms and puts a table together; the cells' names in
other encodings are in `nasviz.published.cells201` and `nasviz.published.cells101`.
"""
