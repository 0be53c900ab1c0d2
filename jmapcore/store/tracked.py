"""Tracked models: tables of an account, which refuse to be written outside `account_write`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

from jmapcore.store.write import writing_account


class OutsideWritePathError(RuntimeError):
    """A tracked model was about to be written outside `account_write`, where no change would be recorded."""


def _check(what: str) -> None:
    if writing_account.get() is None:
        raise OutsideWritePathError(
            f"{what}: the data of an account is written inside account_write() alone."
        )


class TrackedQuerySet(models.QuerySet[Any]):
    """A queryset whose nine ways to write demand an open write block."""

    def update(self, **values: Any) -> int:
        _check("update")
        return super().update(**values)

    def _update(self, values: Any, *args: Any) -> Any:
        _check("update")
        return super()._update(values, *args)  # type: ignore[misc]  # a private method that the stubs leave out

    def _insert(self, *args: Any, **keywords: Any) -> Any:
        _check("insert")
        return super()._insert(*args, **keywords)  # type: ignore[misc]  # a private method that the stubs leave out

    def _batched_insert(self, *args: Any, **keywords: Any) -> Any:
        _check("insert")
        return super()._batched_insert(*args, **keywords)  # type: ignore[misc]  # a private method that the stubs leave out

    def bulk_create(self, objs: Iterable[Any], *args: Any, **keywords: Any) -> list[Any]:
        _check("bulk_create")
        return super().bulk_create(objs, *args, **keywords)

    def bulk_update(self, objs: Iterable[Any], *args: Any, **keywords: Any) -> int:
        _check("bulk_update")
        return super().bulk_update(objs, *args, **keywords)

    def delete(self) -> tuple[int, dict[str, int]]:
        _check("delete")
        return super().delete()

    def _raw_delete(self, using: Any) -> Any:
        _check("delete")
        return super()._raw_delete(using)


class TrackedModel(models.Model):
    """A table of an account. The engine writes it by prepared statements; the ORM may read it."""

    objects: ClassVar[models.Manager[Any]] = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save_base(self, *args: Any, **keywords: Any) -> None:
        """Refused outside the write path."""
        _check("save")
        super().save_base(*args, **keywords)

    def delete(self, *args: Any, **keywords: Any) -> tuple[int, dict[str, int]]:
        """Refused outside the write path."""
        _check("delete")
        return super().delete(*args, **keywords)
