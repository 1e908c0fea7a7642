"""The report: a store in, one HTML page that people look at, and its figures as files.

Use `write.make_report` and `write.write_report`. Every number is that of the function or SQL that `compare`, `effects`,
`predict` and `query` answer with; a section that a store cannot support is left out and said to be missing. No torch.

    facts.py       what the store holds          contest.py     comparisons, fitted once
    tasks.py       bars, worst, distributions    parameters.py  Figure 5, effects
    learners.py    means, leave one out, curve   ledger.py      coverage, cost, proxy
    atlas.py       task map                      summary.py     the whole in sentences
    signal.py      spread against noise          sizes.py       Figures 6 to 8 (curves of scaling.py)
    charts.py      rows to Vega-Lite             canvases.py    grids, histograms, maps
    page.py        HTML (style.py its CSS)       theme.py       colours and type
    pictures.py    renderings and neighbours     export.py      PNG, SVG, CSV
    folder.py      the page of one prediction (folder_pictures.py its pictures)
"""
