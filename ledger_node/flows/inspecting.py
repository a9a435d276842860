"""Step 1, at every door a file comes in by: what it is, and whether it may be stored at all.

A paper is kept for years and looked at by other cities: so it has to be of a kind that everybody
can open, open without a password, and do nothing when opened. A refusal has a sentence that says
what the person can do; nothing of the file is stored. Spec: docs/spec/uploads.md.
Not here: how a file is looked at (ports/inspecting.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from ledger_node.core.errors import MalformedInputError
from ledger_node.ports.inspecting import DocumentInspector, Finding, Inspected

UNDECLARED: Final = "application/octet-stream"
_FIELD: Final = "documents"


class DocumentRefusedError(MalformedInputError):
    """A file may not be stored; nothing of it was."""

    code = "document_refused"


class DocumentKindUnknownError(DocumentRefusedError):
    """The bytes are no PDF, OFD, JPEG, PNG or TIFF."""

    code = "document_kind_unknown"

    def __init__(self) -> None:
        super().__init__(
            "只收 PDF、OFD、JPEG、PNG、TIFF 文件。请另存为其中一种，或重新扫描。",
            "Only PDF, OFD, JPEG, PNG and TIFF are taken; save it as one of them or scan it.",
            field=_FIELD,
        )


class DocumentKindDiffersError(DocumentRefusedError):
    """The bytes are of another media type than the one declared."""

    code = "document_kind_differs"

    def __init__(self, declared: str, found: str) -> None:
        super().__init__(
            f"文件内容是 {found}，与声明的 {declared} 不符，未保存。请核对文件。",
            f"The file is {found}, not {declared} as declared; nothing was stored.",
            field=_FIELD,
        )


class DocumentDamagedError(DocumentRefusedError):
    """The file is cut off or damaged."""

    code = "document_damaged"

    def __init__(self) -> None:
        super().__init__(
            "文件不完整或已损坏，未保存。请重新导出或重新扫描。",
            "The file is cut off or damaged and was not stored; export or scan it again.",
            field=_FIELD,
        )


class DocumentLockedError(DocumentRefusedError):
    """The file is encrypted."""

    code = "document_locked"

    def __init__(self) -> None:
        super().__init__(
            "文件设有密码或加密限制，以后可能无人能打开，未保存。请先解除再传。",
            "The file is encrypted and might be opened by nobody later; unlock it first.",
            field=_FIELD,
        )


class DocumentActiveError(DocumentRefusedError):
    """The file contains a script or an action."""

    code = "document_active"

    def __init__(self) -> None:
        super().__init__(
            "文件内含脚本或自动动作，未保存。请打印为新的 PDF 后再传。",
            "The file contains a script or an action; print it to a new PDF.",
            field=_FIELD,
        )


class DocumentCarriesFilesError(DocumentRefusedError):
    """The file contains other files."""

    code = "document_carries_files"

    def __init__(self) -> None:
        super().__init__(
            "文件内嵌有其他文件，未保存。请把附件分开上传。",
            "The file has other files inside; send them on their own.",
            field=_FIELD,
        )


class DocumentTwoKindsError(DocumentRefusedError):
    """Programs could take the file for two different things."""

    code = "document_two_kinds"

    def __init__(self) -> None:
        super().__init__(
            "文件前后夹带了其他内容，可能被当作另一种文件打开，未保存。请重新导出或扫描。",
            "The file could be opened as something else too; export or scan it again.",
            field=_FIELD,
        )


class DocumentInflatesError(DocumentRefusedError):
    """Opening the file would take far more memory or time than a paper takes."""

    code = "document_inflates"

    def __init__(self) -> None:
        super().__init__(
            "打开这份文件所需的内存或时间远超正常材料，未保存。请降低分辨率后重新扫描。",
            "Opening the file takes more than a paper does; scan it at a lower resolution.",
            field=_FIELD,
        )


class DocumentTooManyPagesError(DocumentRefusedError):
    """The file has more pages than one document may."""

    code = "document_too_many_pages"

    def __init__(self) -> None:
        super().__init__(
            "文件超过 2000 页，未保存。请拆分后再传。",
            "The file has more than 2000 pages; split it.",
            field=_FIELD,
        )


class DocumentUnsafeNamesError(DocumentRefusedError):
    """The archive has parts with names that lead elsewhere."""

    code = "document_unsafe_names"

    def __init__(self) -> None:
        super().__init__(
            "文件内部的名称不规范，可能指向别处，未保存。请由出具单位重新生成。",
            "Names inside the file lead elsewhere; have it made again by its issuer.",
            field=_FIELD,
        )


REFUSALS: Final[Mapping[Finding, Callable[[], DocumentRefusedError]]] = {
    Finding.UNKNOWN: DocumentKindUnknownError,
    Finding.DAMAGED: DocumentDamagedError,
    Finding.LOCKED: DocumentLockedError,
    Finding.ACTIVE: DocumentActiveError,
    Finding.CARRIES_FILES: DocumentCarriesFilesError,
    Finding.TWO_KINDS: DocumentTwoKindsError,
    Finding.INFLATES: DocumentInflatesError,
    Finding.TOO_MANY_PAGES: DocumentTooManyPagesError,
    Finding.UNSAFE_NAMES: DocumentUnsafeNamesError,
}


def inspect_document(inspector: DocumentInspector, source: BinaryIO, declared: str) -> Inspected:
    """What a file is; effects: none.

    Args:
        declared: Media type as its sender named it; `application/octet-stream` if none.

    Raises:
        DocumentRefusedError: It may not be stored; the subclass says why.
        InspectionUnavailableError: The machine is too busy to look at it.
    """
    found = inspector.inspect(source)
    if isinstance(found, Finding):
        raise REFUSALS[found]()
    if declared not in (UNDECLARED, found.media_type):
        raise DocumentKindDiffersError(declared, found.media_type)
    return found
