"""Records as one page that answers questions: ``contend report``.

`selection` decides which cells the page is about, `figures` draws them, `summary` puts them into sentences, `history`
looks along the records of one cell, and `page` makes the file.
"""
