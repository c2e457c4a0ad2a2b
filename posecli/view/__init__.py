"""One HTML page to look at poses and to correct them: no network, no server, nothing to install."""

from posecli.view.page import write_page

__all__ = ["write_page"]
