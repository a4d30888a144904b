"""Notes on a call and on its moments, tags, and the disposition, with who wrote them and when."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.domain.annotation import LONGEST_LABEL, LONGEST_NOTE, Annotations, Label, Note
from services.domain.call import Call, CallStatus
from services.domain.client import Client
from services.domain.errors import EarshotError
from services.support.root_path import address
from ui.call.steering.send_form import Fields, SendForm
from ui.kit.given import text_of
from ui.kit.icons import icon
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor
from ui.words import say
from ui.words.who import who_name


class CallAnnotations(LiveBox):
    """Calls `replay` with the moment to replay from, in seconds of the recording. Hidden for a call that can't be annotated.

    `allow` comes before it is shown: it reads what was written."""

    def __init__(self, call: Call, *, desk: CallDesk, replay: Callable[[float], None]) -> None:
        super().__init__("section", "annotations", aria_label=say("notes"), data_testid="annotations")
        self._call = call
        self._annotations = desk.annotations
        self._replay = replay
        self._moment: float | None = None
        self._allowed = True
        with self:
            Text("h3", say("notes"))
            self._notice = Notice()
            self._list = Box("ol", "notes", aria_live="polite")
            with SendForm(send=self._add_note, notice=self._notice, draft=f"note {call.id}") as self._writing:
                with Box(classes="ask"):
                    with Box(classes="field"):
                        self._field = Box("input", name="note", type="text", autocomplete="off", maxlength=LONGEST_NOTE)
                        set_props(self._field, placeholder=say("note_label"), aria_label=say("note_label"))
                    Text("button", say("note_add"), "btn", type="submit", data_testid="note-add")
                with Box("label", "note-now") as self._now:
                    Box("input", name="now", type="checkbox")
                    Text("span", say("note_now"))
                with Box("p", "note-moment", role="status") as self._chip:
                    self._chip_text = Text("span")
                    Text("button", say("note_whole"), "btn small", type="button").on("click", lambda: self._mark(None))
            with Box(classes="labels"):
                self._tags = Box("ul", "tags", aria_label=say("tags"))
                with SendForm(send=self._add_tag, notice=self._notice, draft=f"tag {call.id}").classes("tag-form") as self._tagging:
                    field = Box("input", name="tag", type="text", autocomplete="off", maxlength=LONGEST_LABEL)
                    set_props(field, placeholder=say("tag_label"), aria_label=say("tag_label"))
                    Text("button", say("tag_add"), "btn small", type="submit", data_testid="tag-add")
                self._disposition = self._choice() if self._annotations.dispositions else None
        self.subscribe(self._annotations.changed, self._on_change)
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        deleted = call.erasure is not None and self._call.erasure is None
        self._call = call
        self.set_visibility(call.status is not CallStatus.UNKNOWN and call.erasure is None)
        self._now.set_visibility(call.running and call.started_at is not None)
        self._mark(self._moment)
        if deleted:
            self._show(Annotations())

    def allow(self, allowed: bool) -> None:
        """Sets whether the visitor may write here. Everybody may read."""
        self._allowed = allowed
        for form in (self._writing, self._tagging):
            form.set_visibility(allowed)
        if self._disposition:
            set_props(self._disposition, disabled=not allowed)
        self.start(self._read(), name="read notes")

    def mark_moment(self, moment_s: float) -> None:
        """Has the next note be about this moment of the recording."""
        self._mark(moment_s)
        self._field.run_method("focus")

    def _mark(self, moment_s: float | None) -> None:
        self._moment = moment_s
        self._chip.set_visibility(moment_s is not None)
        self._chip_text.show("" if moment_s is None else say("note_at", time=_clock(moment_s)))

    def _choice(self) -> Box:
        with Box("label", "disposition"):
            Text("span", say("disposition"))
            with Box("select", aria_label=say("disposition"), data_testid="disposition") as choice:
                Text("option", say("disposition_none"), value="")
                for name in self._annotations.dispositions:
                    Text("option", name, value=name)
        return choice.on("change", self._dispose, js_handler="event => emit(event.target.value)")

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call.id:
            self.start(self._read(), name="read notes")

    async def _read(self) -> None:
        try:
            found = await self._annotations.of(self._call)
        except EarshotError as error:
            self._notice.show_error(error)
        else:
            self._show(Annotations() if self._call.erasure else found)

    def _show(self, found: Annotations) -> None:
        self._list.clear()
        with self._list:
            for note in found.notes:
                self._item(note)
        self._tags.clear()
        with self._tags:
            for tag in found.tags:
                self._tag(tag)
        if self._disposition:
            set_props(self._disposition, value=found.disposition.text if found.disposition else "")

    def _item(self, note: Note) -> None:
        with Box("li", data_testid="note"):
            with Box("p"):
                if note.moment_s is not None:
                    self._link(note.moment_s)
                Text("span", note.text, "note-text")
            with Box("p", "came"):
                Text("span", f"{say('by', who=who_name(note.by))} ")
                LocalTime(note.at, full=True)
            with Box("button", "btn bare", type="button", aria_label=say("note_delete")) as delete:
                icon("close", 16)
            delete.set_visibility(self._allowed)
            delete.on("click", lambda: self._attempt(lambda by: self._annotations.delete_note(self._call, note.id, by)))

    def _link(self, moment_s: float) -> None:
        """The moment: as a link to be copied, and to be pressed."""
        href = address(f"/?call={quote(self._call.id, safe='')}&t={moment_s:g}")
        link = Text("a", _clock(moment_s), "moment", href=href, aria_label=say("note_replay", time=_clock(moment_s)))
        link.on("click.prevent", lambda: self._replay(moment_s))

    def _tag(self, tag: Label) -> None:
        with Box("li", title=say("by", who=who_name(tag.by))):
            Text("span", tag.text)
            with Box("button", type="button", aria_label=say("tag_remove", tag=tag.text)) as remove:
                icon("close", 12)
            remove.set_visibility(self._allowed)
            remove.on("click", lambda: self._attempt(lambda by: self._annotations.remove_tag(self._call, tag.text, by)))

    async def _add_note(self, fields: Fields) -> bool:
        if not fields.get("note"):
            return False
        moment_s = self._moment
        if fields.get("now") and self._call.started_at:
            moment_s = max(0.0, round((datetime.now(UTC) - self._call.started_at).total_seconds(), 1))
        await self._annotations.add_note(self._call, fields["note"], visitor(), moment_s=moment_s)
        self._mark(None)
        return True

    async def _add_tag(self, fields: Fields) -> bool:
        if not fields.get("tag"):
            return False
        await self._annotations.add_tag(self._call, fields["tag"], visitor())
        return True

    async def _dispose(self, event: GenericEventArguments) -> None:
        await self._attempt(lambda by: self._annotations.dispose(self._call, text_of(event) or None, by))

    async def _attempt(self, change: Callable[[Client], Awaitable[bool]]) -> None:
        self._notice.hide()
        try:
            await change(visitor())
        except Exception as error:
            if not self._notice.is_deleted:
                self._notice.show_error(error)


def _clock(seconds: float) -> str:
    """`1:23`"""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
