"""Templates -> pages: every text of a record is escaped, and no page asks for anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from bench import __version__
from bench.board.escaping import printable


class Pages:
    """Writes pages."""

    def __init__(self, count: int, home: str) -> None:
        """Read the templates.

        Args:
            count: Of records, which every page tells.
            home: Where every page leads besides; empty for nowhere.
        """
        import jinja2
        from markupsafe import Markup

        folder = files("bench.site") / "templates"
        texts = {
            file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.startswith(_KINDS)
        }
        self._environment = jinja2.Environment(
            loader=jinja2.DictLoader(texts),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        script, style = (texts[name] for name in ("site.js", "site.css"))
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self._environment.globals.update(
            script=Markup(script),
            style=Markup(style),
            script_hash=f"sha256-{digest}",
            version=__version__,
            count=count,
            home=home,
        )

    def page(self, template: str, title: str, **content: Any) -> bytes:
        """One page.

        Args:
            template: Name of the template, without ending.
            title: Of the page.
            content: What the template asks for.
        """
        return self._environment.get_template(f"{template}.html").render(title=title, **content).encode()


_KINDS = ("base", "index", "method", "page", "parts", "records", "site")


def _shown(value: Any) -> Any:
    """A text without characters that move the cursor or turn the direction of writing."""
    return printable(value) if type(value) is str else value
