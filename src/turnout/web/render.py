"""Turns templates into pages; everything that is put into them is escaped. Knows no page."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from turnout.web import assets

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals["asset"] = assets.url


def page(template: str, **values: Any) -> HTMLResponse:
    """The page that `template` makes of `values`."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(values))
