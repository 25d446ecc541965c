"""Lists the registered models that need an installed backbone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.table import rows

Users = Mapping[str, Sequence[str]]
"""The models that need a backbone, as `NAME (model ID)`, by the digest of the backbone."""


async def list_users(session: AsyncSession) -> Users:
    """Return the models that need each backbone, by their present spec or by the one that they get when activated.

    Raises SpecInvalid for a recorded spec that cannot be read: such a model may need any backbone.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for row in await rows.list_all(session):
        if row.record is None:
            continue
        model = RegisteredFile.from_rows(row.model, row.record)
        named = [spec.backbone for spec in (model.spec, model.given) if spec is not None and spec.backbone is not None]
        for digest in dict.fromkeys(each.digest for each in named if each.digest is not None):
            found[digest].append(f"{model.model_name} (model {model.model_id})")
    return found
