"""Guards over files that strangers hand in."""

from __future__ import annotations

from tests.mutants.mutant import EDGES, FLOWS, Mutant

CORPUS = "tests/uploads/test_corpus.py::"
TRICK = CORPUS + "test_upload_trick_is_refused_with_its_code_and_leaves_nothing"
SEEN = CORPUS + "test_every_trick_and_good_file_is_seen_for_what_it_is"
RENDERING = EDGES + "rendering/"

UPLOADS = (
    Mutant(
        "upload-inspected",
        "bytes are looked at before they get their name",
        FLOWS + "uploading.py",
        "        inspect(written, row.media_type)\n",
        "        pass\n",
        TRICK + "[pdf-and-jar]",
        "T20",
    ),
    Mutant(
        "upload-declared-kind",
        "a file is of the media type its sender declared",
        FLOWS + "inspecting.py",
        "    if declared not in (UNDECLARED, found.media_type):\n",
        "    if False:\n",
        TRICK + "[png-as-pdf]",
        "T20",
    ),
    Mutant(
        "upload-hidden-script",
        "deflated streams are searched for actions too",
        RENDERING + "inspect_pdf.py",
        "            demand_still(kept + chunk)\n",
        "            pass\n",
        SEEN,
        "T20",
    ),
    Mutant(
        "upload-escaped-names",
        "names are compared as they are meant, not as they are written",
        RENDERING + "inspect_pdf.py",
        '    plain = unescape(data) if b"#" in data else data\n',
        "    plain = data\n",
        SEEN,
        "T20",
    ),
    Mutant(
        "upload-two-kinds",
        "no file is an archive or a web page too",
        RENDERING + "inspect_worker.py",
        "    if any(each in lower for each in MARKUP) or zipfile.is_zipfile(io.BytesIO(data)):\n",
        "    if False:\n",
        SEEN,
        "T20",
    ),
    Mutant(
        "upload-pixels",
        "pixels are counted before they are decoded",
        RENDERING + "inspect_worker.py",
        "    if count > MAX_PIXELS:\n",
        "    if False:\n",
        SEEN,
        "T20",
    ),
    Mutant(
        "upload-unsafe-names",
        "parts of an archive have plain names",
        RENDERING + "inspect_zip.py",
        "    if not plain or len(set(folded)) != len(folded):\n",
        "    if False:\n",
        SEEN,
        "T20",
    ),
    Mutant(
        "upload-owner-lock",
        "an encrypted PDF is refused even when it opens without a password",
        RENDERING + "inspect_pdf.py",
        "    if pdfium.FPDF_GetSecurityHandlerRevision(document) != NO_HANDLER:\n",
        "    if False:\n",
        SEEN,
        "T20",
    ),
)
