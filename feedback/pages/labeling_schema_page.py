"""Questions: making and changing them, with a preview of what reviewers will see."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, RedirectResponse, Response

from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict
from hansei.feedback.labeling.model import LabelSchemaVersion
from hansei.feedback.labeling.schemas import create_schema, delete_schema, read_schema
from hansei.feedback.pages.labeling_preview import previewed
from hansei.feedback.pages.labeling_schema_form import INPUT_NAMES, SchemaForm
from hansei.feedback.pages.render import HEADERS, page

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


class SchemaPages:
    """The pages of a question."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def form(self, request: "Request") -> Response:
        """An empty form."""
        return _shown(request, SchemaForm())

    async def create(self, request: "Request") -> Response:
        """Make a question; or show it, as reviewers would see it."""
        return await self._save(request, None)

    async def form_of_known(self, request: "Request") -> Response:
        """The form of a question that there is: ``name`` of the address says which."""
        known = await self._known(request.query_params.get("name", ""))
        return _shown(request, SchemaForm.of_schema(known), known)

    async def change(self, request: "Request") -> Response:
        """Make a new version of a question."""
        return await self._save(request, await self._known(request.query_params.get("name", "")))

    async def preview(self, request: "Request") -> Response:
        """The question alone, for the page's script."""
        form = SchemaForm.of(await request.form())
        return HTMLResponse(previewed(form.preview()), 200, HEADERS)

    async def delete(self, request: "Request") -> Response:
        """Hide a question."""
        name = str((await request.form()).get("name") or "")
        store, who = self._site.tables, request.state.visitor.name
        await self._site.reader.run(partial(delete_schema, store, name, changed_by=who))
        return RedirectResponse("/labeling", 303, HEADERS)

    async def _known(self, name: str) -> LabelSchemaVersion:
        return await self._site.reader.run(read_schema, self._site.reader.query, name)

    async def _save(self, request: "Request", known: LabelSchemaVersion | None) -> Response:
        given = await request.form()
        form = SchemaForm.of(given)
        if known is not None:
            form = replace(form, name=known.name)
        if given.get("do") == "preview":
            return _shown(request, form, known)
        store, who = self._site.tables, request.state.visitor.name
        try:
            wanted = replace(form.preview(), input=form.made_input().to_json())
            making = partial(create_schema, store, wanted, overwrite=known is not None, changed_by=who)
            await self._site.reader.run(making)
        except (InvalidLabeling, LabelingConflict) as error:
            # What is wrong is told beside the form, which keeps what was filled in.
            return _shown(request, form, known, str(error).replace("give overwrite=True", "change that one"))
        return RedirectResponse("/labeling#questions", 303, HEADERS)


def _shown(request: "Request", form: SchemaForm, known: LabelSchemaVersion | None = None, error: str = "") -> Response:
    return page(
        request, "labeling_schema.html", 400 if error else 200, section="Labeling",
        form=form, known=known, error=error, input_names=INPUT_NAMES, preview=previewed(form.preview()),
    )  # fmt: skip
