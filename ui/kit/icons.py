"""The page's icons, inline so that they take the colour of the text around them."""

from nicegui import ui

_STROKE = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
_MARK = '<path d="M4 12v0M8 8v8M12 4.5v15M16 8v8M20 11v2"/>'
_HANDSET = (
    "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2c.3-.3.7-.4 1-.2 1.2.4 2.4.6 3.6.6.6 0 1 .4 1 1V20c0 .6-.4 1-1 1A17 17 0 0 1 3 4"
    "c0-.6.4-1 1-1h3.5c.6 0 1 .4 1 1 0 1.2.2 2.4.6 3.6.1.3 0 .7-.2 1z"
)
_ICONS = {
    "mark": f'<g {_STROKE} style="stroke-width:2.2">{_MARK}</g>',
    "call": f'<path fill="currentColor" d="{_HANDSET}"/>',
    "end": f'<path fill="currentColor" transform="rotate(135 12 12)" d="{_HANDSET}"/>',
    "listen": f'<g {_STROKE}><path d="M4 14v-2a8 8 0 0 1 16 0v2"/><rect x="3" y="14" width="4.5" height="6" rx="1.6"/>'
    f'<rect x="16.5" y="14" width="4.5" height="6" rx="1.6"/></g>',
    "stop": '<rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor"/>',
    "info": f'<g {_STROKE}><circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 7.8v0"/></g>',
    "alert": f'<g {_STROKE}><path d="M12 3.8 2.8 19.6h18.4z"/><path d="M12 10v4M12 16.8v0"/></g>',
    "close": f'<path {_STROKE} d="M6 6l12 12M18 6L6 18"/>',
    "say": f'<g {_STROKE}><path d="M20 12a7.5 7.5 0 0 1-11 6.6L4 20l1.4-4.4A7.5 7.5 0 1 1 20 12z"/></g>',
    "whisper": f'<g {_STROKE}><path d="M4 12h9M4 7h13M4 17h6"/><path d="M17 13l4 3-4 3"/></g>',
    "transfer": f'<g {_STROKE}><path d="M4 8h15M15 4l4 4-4 4"/><path d="M20 16H5M9 12l-4 4 4 4"/></g>',
    "handoff": f'<g {_STROKE}><circle cx="8" cy="8" r="3.4"/><path d="M2.5 19a5.5 5.5 0 0 1 11 0M15 8h6M18 5l3 3-3 3"/></g>',
    "mute": f'<g {_STROKE}><rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M4 4l16 16"/></g>',
    "unmute": f'<g {_STROKE}><rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21"/></g>',
    "link": f'<g {_STROKE}><path d="M14 5h5v5M19 5l-8 8"/>'
    f'<path d="M18 14v4a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 5 18V8a1.5 1.5 0 0 1 1.5-1.5H10"/></g>',
    "settings": f'<g {_STROKE}><path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.6"/>'
    f'<circle cx="8" cy="17" r="2.6"/></g>',
    "call-finished": f'<g {_STROKE}><circle cx="12" cy="12" r="9"/><path d="M8 12.4l2.7 2.6L16 9.5"/></g>',
    "call-missed": f'<g {_STROKE}><circle cx="12" cy="12" r="9"/><path d="M12 7.5v5l3 2"/></g>',
    "call-cancelled": f'<g {_STROKE}><circle cx="12" cy="12" r="9"/><path d="M8.5 12h7"/></g>',
    "call-trouble": f'<g {_STROKE}><path d="M12 3.8 2.8 19.6h18.4z"/><path d="M12 10v4M12 16.8v0"/></g>',
    "contacts": f'<g {_STROKE}><circle cx="12" cy="8.5" r="3.6"/><path d="M5 20a7 7 0 0 1 14 0"/></g>',
    "bell": f'<g {_STROKE}><path d="M6 10a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7"/><path d="M10 20.5a2.2 2.2 0 0 0 4 0"/></g>',
    "again": f'<g {_STROKE}><path d="M20 11a8 8 0 1 0-2.3 6.3"/><path d="M20.5 5v6h-6"/></g>',
}

FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#0f6b5c"/>'
    f'<g {_STROKE} style="color:#fff" transform="translate(2.6 2.6) scale(.78)">{_MARK}</g></svg>'
)


def icon(name: str, size: int = 18) -> ui.html:
    """A decorative icon, hidden from screen readers: the text beside it or its parent's label has to say the same."""
    return ui.html(drawing(name, size), sanitize=False, tag="span").classes(f"icon icon-{name}")


def drawing(name: str, size: int = 18) -> str:
    """The icon as SVG, for components that draw it themselves."""
    return f'<svg width="{size}" height="{size}" viewBox="0 0 24 24" aria-hidden="true">{_ICONS[name]}</svg>'
