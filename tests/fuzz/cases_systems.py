"""Parsers of what case systems hand in and get."""

from ledger_node.core import case, case_event
from tests.fuzz.parsers import ParserCase
from tests.reference import formats
from tests.reference.topics import systems

CASES = [
    ParserCase(
        "core.case.read_case_draft",
        "value",
        case.read_case_draft,
        [systems.CASE, systems.CASE | {"agent": systems.AGENT, "officer": None}],
        case.encode_case_draft,
    ),
    ParserCase(
        "core.case.read_case_file",
        "value",
        case.read_case_file,
        [systems.FILE],
        lambda read: {"v": case.CASE_FILE_VERSION, "number": read[0], "case": read[1]},
    ),
    ParserCase(
        "core.case.read_state_map",
        "value",
        case.read_state_map,
        [systems.STATE_MAP],
        lambda read: {
            "v": case.STATE_MAP_VERSION,
            "system": read.system,
            "states": {name: stage.value for name, stage in read.stages.items()},
        },
    ),
    ParserCase(
        "core.case_event.parse_case_event",
        "json",
        case_event.parse_case_event,
        [formats.jcs(systems.EVENT), formats.jcs(systems.FILED)],
        case_event.encode_case_event,
    ),
]
