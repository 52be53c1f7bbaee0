"""What the documentation says of the protocol is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from pairstream import StreamSpec, codec, header
from synth_server.limits import Limits

ROOT = Path(__file__).parent.parent.parent
PROTOCOL = (ROOT / "docs/protocol.md").read_text()


def test_the_protocol_names_every_message_and_field():
    rows = set(re.findall(r"^\| `(\w+)` \|", PROTOCOL, re.MULTILINE))
    assert set(codec._READERS) | set(StreamSpec().as_dict()) <= rows


def test_the_protocol_gives_the_limits_and_the_digest_that_hold():
    for value in (f"{header.MAX_HEADER_BYTES:,}", f"{codec.MAX_INDICES:,}", str(Limits().asks_per_client)):
        assert value in PROTOCOL
    assert StreamSpec().digest in PROTOCOL


def test_every_file_that_the_documentation_names_exists():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name in re.findall(r"`((?!runs/)(?:[\w.]+/)+[\w.]+\.(?:py|md|proto|html|yml))`", page.read_text()):
            assert (ROOT / name).exists() or (ROOT / "proto" / name).exists(), f"{page.name} names {name}"


def test_the_protocol_gives_every_field_s_default():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `?([\w.]+)`? \| [^|]+ \|$", PROTOCOL, re.MULTILINE)
    assert dict(rows) == {name: "none" if value == {} else str(value) for name, value in StreamSpec().as_dict().items()}
