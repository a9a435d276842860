"""Guards at the door: files, hosts, keys of machines, keys of requests."""

from __future__ import annotations

from tests.mutants.mutant import ACCESS, EDGES, FLOWS, Mutant

CORPUS = "tests/uploads/test_corpus.py::"
TRICK = CORPUS + "test_upload_trick_is_refused_with_its_code_and_leaves_nothing"
SEEN = CORPUS + "test_every_trick_and_good_file_is_seen_for_what_it_is"
RENDERING = EDGES + "rendering/"
DRAWN = "tests/integration/test_rendering.py::"

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
    Mutant(
        "unknown-host",
        "only this node's own names are answered",
        "api/known_hosts.py",
        "        return host in self._names or is_loopback(host)\n",
        "        return True\n",
        "tests/integration/api/test_hosts.py::test_every_path_under_an_unknown_host_is_misdirected",
        "T17",
    ),
    Mutant(
        "machine-given",
        "what a machine was given counts at the API only",
        "api/access.py",
        "    machine = principal.roles == {Role.SYSTEM} and is_below(path, MACHINE_API)\n",
        "    machine = True\n",
        ACCESS + "test_machines.py::test_machine_reaches_no_page_with_what_it_was_given",
        "T17",
    ),
    Mutant(
        "machine-may",
        "a machine is never given what an officer answers for",
        FLOWS + "accounts.py",
        "    demand_for_machine(new.roles, new.permissions)\n",
        "",
        ACCESS + "test_machines.py::test_machine_is_never_given_what_a_person_answers_for",
        "T17",
    ),
    Mutant(
        "search-once",
        "a search by file under one key leaves one entry in the log",
        "api/routes/v1/verifications.py",
        '    return do_once(runtime.node, principal, "verifications/search", key, body, act)\n',
        "    return do_once(runtime.node, principal, str(id(body)), key, body, act)\n",
        "tests/integration/api/test_v1.py::test_search_by_file_is_logged_once_per_key",
    ),
    Mutant(
        "page-mark-private",
        "who looks at a page stands in no command line",
        RENDERING + "capped.py",
        "                [*command, str(self._font)],\n",
        '                [command[0], "-X", watermark, *command[1:], str(self._font)],\n',
        DRAWN + "test_render_page_watermark_stands_in_no_command_line",
    ),
    Mutant(
        "page-never-unmarked",
        "a page without its watermark is not shown",
        RENDERING + "worker.py",
        '        mark(picture, text, font).save(out, "PNG", compress_level=3)\n',
        '        picture.save(out, "PNG", compress_level=3)\n',
        DRAWN + "test_render_page_without_its_font_is_never_drawn_unmarked",
    ),
    Mutant(
        "page-limits",
        "the drawing process bounds itself before it reads",
        RENDERING + "worker.py",
        "    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))\n",
        "",
        DRAWN + "test_limit_bounds_memory_time_files_and_processes",
    ),
)
