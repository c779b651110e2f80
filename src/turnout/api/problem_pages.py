"""The pages `/problems/<code>`, which explain each error to whoever meets it. Knows no feature.

Plain HTML with one style sheet of our own: the strict policy allows nothing inline.
"""

from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from turnout.api.calls import Router
from turnout.edge.answers import status_of
from turnout.edge.refusals import every_problem
from turnout.errors import NotFound, TurnoutError

router = Router("Problems")

_CACHE = {"Cache-Control": "public, max-age=3600"}

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - Turnout</title>
<link rel="stylesheet" href="/problems/style.css">
</head>
<body>
<main>
<h1>$title</h1>
<p>$explanation</p>
<dl>
<dt>Code</dt><dd><code>$code</code></dd>
<dt>HTTP status</dt><dd>$status</dd>
</dl>
<p>The answer that led you here says in <code>detail</code> what happened that time. When you ask
for help, quote its <code>instance</code>: it is the id under which the server's log has it.</p>
</main>
</body>
</html>
""")

# Colours have a contrast of 7:1 and more, in both schemes.
_STYLE = """:root { color-scheme: light dark; --text: #1b1f24; --ground: #ffffff; --tint: #eef1f4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8ebee; --ground: #14171a; --tint: #252a30; }
}
body { margin: 0; background: var(--ground); color: var(--text);
  font: 1.0625rem/1.6 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; }
code { background: var(--tint); padding: 0.1em 0.3em; border-radius: 0.25em; }
"""


@router.get("/problems/style.css", include_in_schema=False)
async def style(request: Request) -> Response:
    """The style sheet of these pages."""
    del request
    return Response(_STYLE, media_type="text/css", headers=_CACHE)


@router.get("/problems/{code}", response_class=HTMLResponse, summary="What a problem means")
async def page(code: str, request: Request) -> HTMLResponse:
    """The page that explains the problem `code`, as the member `type` of an answer links it."""
    del request
    for error in every_problem():
        if error.code == code:
            return HTMLResponse(_render(error), headers=_CACHE)
    raise NotFound("There is no problem with that code.")


def _render(error: type[TurnoutError]) -> str:
    return _PAGE.substitute(
        title=escape(error.title),
        explanation=escape(error.explanation),
        code=escape(error.code),
        status=status_of(error),
    )
