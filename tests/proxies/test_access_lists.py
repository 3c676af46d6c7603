"""Files of access lists: both forms, and the line of every mistake."""

from __future__ import annotations

import pytest

from accounts.site_fields import MAX_ADDRESSES
from proxies.access_lists import edited, read_access_file
from proxies.errors import Invalid

NAMES = ("allow", "block")


def read(text: str | bytes) -> dict[str, list[str]]:
    return read_access_file(text.encode() if isinstance(text, str) else text, NAMES, "lists")


@pytest.mark.parametrize(
    "text",
    [
        "allow 10.0.0.0/8\nblock 10.9.*.*\nallow ::1\n",
        "\ufeff# a comment\r\n\r\n  allow\t10.0.0.0/8 # why\r\nblock 10.9.*.*\r\nallow ::1",
        "allow:\n  - 10.0.0.0/8\n  - ::1\nblock: [10.9.*.*]\n",
        "# a comment\n---\n'allow': ['10.0.0.0/8', ' ::1 ']\n\"block\": ['10.9.*.*']\n",
        '{"block": ["10.9.*.*"],\n"allow": ["10.0.0.0/8", "::1"]}',
        '{\t"block": ["10.9.*.*"], "allow": ["10.0.0.0/8", "::1"]}',
    ],
)
def test_plain_lines_yaml_and_json_say_the_same(text: str) -> None:
    assert read(text) == {"allow": ["10.0.0.0/8", "::1"], "block": ["10.9.*.*"]}


def test_only_lists_that_are_named_are_there() -> None:
    assert read("block 10.0.0.1") == {"block": ["10.0.0.1"]}
    assert read("block:") == {"block": []}
    assert read("allow: []") == {"allow": []}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists: The file names none of the lists allow, block."),
        ("# nothing\n", "lists: The file names none of the lists allow, block."),
        ("\nallow 10.0.0.1\n10.0.0.2\n", "lists, line 3: Begin with allow or block, as in `block 203.0.113.7`."),
        ("10.0.0.1", "lists, line 1: Begin with allow or block"),
        ("- 10.0.0.1", "lists, line 1: Begin with allow or block"),
        ("block", "lists, line 1: Write one address, range or wildcard after 'block'."),
        ("# x\nblock 10.0.0.1 10.0.0.2", "lists, line 2: Write one address, range or wildcard after 'block'."),
        ("allow 10.0.0.1\n\nblock 10.0.*\nblock nonsense\n", "lists, line 4: block 'nonsense' is not an IP address"),
        ("allow:\n- 10.0.0.1\nblock:\n\n- 10.0.0.2\n- 10.0.0.999\n", "lists, line 6: block '10.0.0.999' is not an"),
        ('{"allow": [\n"10.0.0.1",\n7]}', "lists, line 3: allow '7' is not text"),
        ("allow: 10.0.0.1", "lists, line 1: allow: Use a list of addresses."),
        ("x: 1\nallow: []", "lists: 'x' is none of the lists allow, block."),
        ("allow: [", "lists: This is neither JSON nor YAML"),
        ("--- text", "lists: Use a mapping with allow and block."),
        (b"allow \xff", "lists: The text is not valid UTF-8."),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str | bytes, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert caught.value.message.startswith(words)


def test_a_file_of_the_longest_lists_is_read() -> None:
    lines = [f"block 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in range(MAX_ADDRESSES)]
    assert len(read("\n".join(lines))["block"]) == MAX_ADDRESSES


def test_entries_are_kept_once_and_found_whatever_their_case() -> None:
    stored = {"allow": ["10.0.0.1"], "block": ["2001:DB8::/32", "10.0.0.1"]}
    assert edited(stored, {"allow": [" 10.0.0.2", "10.0.0.1"]}, ["2001:db8::/32 "]) == {
        "allow": ["10.0.0.1", "10.0.0.2"],
        "block": ["10.0.0.1"],
    }
    assert edited(stored, {}, ["10.0.0.1"]) == {"allow": [], "block": ["2001:DB8::/32"]}
    assert stored["allow"] == ["10.0.0.1"]
    with pytest.raises(Invalid, match=r"^remove: '10\.0\.0\.9' is in none of the lists"):
        edited(stored, {}, ["10.0.0.9"])
