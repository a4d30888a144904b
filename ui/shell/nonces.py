"""Has the scripts of NiceGUI's page run under a content policy that lets no other inline script run: each gets the request's nonce."""

from jinja2 import ChoiceLoader, DictLoader
from nicegui.client import templates

from services.support.content_policy import NONCE

_PAGE = "index.html"
_HEAD = "{{ head_html | safe }}"
_ATTRIBUTE = f' nonce="{{{{ request.scope.{NONCE} }}}}"'
_HEAD_WITH_NONCES = "{{ head_html | replace('<script', '<script nonce=\"' ~ request.scope." + NONCE + " ~ '\"') | safe }}"


def install_nonces() -> None:
    """Changes NiceGUI's template; once per process. What stands in it and in the page's head gets the nonce, no element does."""
    own = templates.env.loader
    if own is None or isinstance(own, ChoiceLoader):
        return
    source, _, _ = own.get_source(templates.env, _PAGE)
    source = source.replace("<script", "<script" + _ATTRIBUTE).replace(_HEAD, _HEAD_WITH_NONCES)
    templates.env.loader = ChoiceLoader([DictLoader({_PAGE: source}), own])
