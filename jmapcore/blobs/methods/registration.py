"""What RFC 9404 adds to a registry: its capability (§3.1) and its methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmapcore.blobs.methods.access import BLOB
from jmapcore.blobs.methods.data_sources import MAX_DATA_SOURCES
from jmapcore.blobs.methods.get import BLOB_GET, DIGESTS
from jmapcore.blobs.methods.lookup import BLOB_LOOKUP, supported_type_names
from jmapcore.blobs.methods.upload import BLOB_UPLOAD, max_size_blob_set
from jmapcore.protocol.registry import Capability, Registry


def register_blobs(registry: Registry) -> None:
    """Register blob management."""

    def account_value(access: Any) -> Mapping[str, Any]:
        return {
            "maxSizeBlobSet": max_size_blob_set(),
            "maxDataSources": MAX_DATA_SOURCES,
            "supportedTypeNames": supported_type_names(registry),
            "supportedDigestAlgorithms": list(DIGESTS),
        }

    registry.add_capability(Capability(BLOB, account_value=account_value))
    for method in (BLOB_UPLOAD, BLOB_GET, BLOB_LOOKUP):
        registry.add_method(method)
