"""What a user can rely on, measured: each module attacks the package in one way and counts what got through.

A module has `TITLE` and `HOW`; `FULL`, how many trials are published, and `QUICK`, how many the suite takes;
`measure(count, seed)`, which returns what was counted, as JSON can hold it; and `claims(found)`, which says of that
what was expected, what was found, and whether the expectation is kept. `python -m tests.reliability NAME` measures in
full and keeps what it found for the page "What you can rely on".
"""
