"""
The sources, one module a platform, and the explicit table of them.

To add one: write `collectors/<platform>.py` with what `Source` asks, add its line to `_MODULES` in
`collectors/table.py`, and put an answer that you wrote in the site's format, with the posts it
should become, in
`tests/samples/<platform>/`.
"""
