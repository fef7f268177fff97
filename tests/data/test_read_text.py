"""Text files: what is detected, and what every fault says."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from composable.core.errors import ConfigError, DataError
from composable.data.names import MAX_COLUMNS
from composable.data.read import read_table


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(table) -> list[list[str | None]]:
    return [[None if pd.isna(v) else v for v in row] for row in table.frame.itertuples(index=False)]


def refusal(path: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path, **options)
    assert caught.value.received
    return str(caught.value)


def test_cells_are_text_as_written_and_empty_ones_missing(tmp_path):
    table = read_table(write(tmp_path, 'a,b\n01, x\n,"say ""hi"", you"\n?,NA\n'))
    assert list(table.frame.columns) == ["a", "b"]
    assert cells(table) == [["01", " x"], [None, 'say "hi", you'], ["?", "NA"]]
    assert set(map(str, table.frame.dtypes)) == {"str"}
    assert table.notices == ()


def test_missing_directory_empty_and_header_only_have_their_own_messages(tmp_path):
    write(tmp_path, "a\n1\n", "cars.csv")
    messages = [
        refusal(tmp_path / "car.csv"),
        refusal(tmp_path),
        refusal(write(tmp_path, "", "zero.csv")),
        refusal(write(tmp_path, "\n \n".replace(" ", ""), "blank.csv")),
        refusal(write(tmp_path, "a,b\n", "header.csv")),
        refusal(Path("https://example.org/t.csv")),
    ]
    wanted = ["does not exist", "directory", "0 bytes", "only blank lines", "header and no rows", "download"]
    assert all(part in message for part, message in zip(wanted, messages, strict=True))
    assert "'cars.csv'" in messages[0]


def test_a_header_alone_is_a_table_where_that_is_asked_for(tmp_path):
    assert read_table(write(tmp_path, "a,b\n"), allow_empty=True).frame.shape == (0, 2)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfa,b\n1,x\n2,y\n", b"a,b\r\n1,x\r\n2,y\r\n", b"a,b\r1,x\r2,y\r", b"a,b\n1,x\n\n2,y"],
    ids=["bom", "crlf", "cr", "blank line, no end"],
)
def test_byte_order_mark_and_line_ends_change_nothing(tmp_path, content):
    table = read_table(write(tmp_path, content))
    assert list(table.frame.columns) == ["a", "b"]
    assert cells(table) == [["1", "x"], ["2", "y"]]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_delimiter_is_detected_and_stated(tmp_path, delimiter):
    rows = [["name", "note"], ["a b", "x"], ["c d", "y"]]
    table = read_table(write(tmp_path, "\n".join(delimiter.join(row) for row in rows)))
    assert cells(table) == rows[1:]
    assert table.format.delimiter == delimiter
    warned = [notice for notice in table.notices if "delimiter" in notice.text]
    assert bool(warned) == (delimiter != ",")
    assert all("--delimiter" in notice.remedy for notice in warned)


def test_delimiter_that_could_be_another_is_stated_with_the_flag(tmp_path):
    path = write(tmp_path, "a;b,c\n1;2,3\n4;5,6\n")
    (notice,) = read_table(path).notices
    assert notice.level == "warning"
    assert "--delimiter ';'" in notice.remedy
    assert list(read_table(path, delimiter=";").frame.columns) == ["a", "b,c"]


def test_decimal_comma_is_detected_and_stated_and_overruled(tmp_path):
    path = write(tmp_path, "a;b\n1,5;2\n2,25;3\n")
    table = read_table(path)
    assert table.format.decimal == ","
    assert any("'1,5'" in notice.text and "--decimal" in notice.remedy for notice in table.notices)
    assert read_table(path, decimal=".").format.decimal == "."
    assert read_table(write(tmp_path, 'a,b\n"1,234",2\n"5,678",3\n', "g.csv")).format.decimal == "."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8"])
def test_unicode_encodings_are_recognized(tmp_path, encoding):
    table = read_table(write(tmp_path, "name,n\nZoë Grün,1\nJosé,2\n".encode(encoding)))
    assert cells(table) == [["Zoë Grün", "1"], ["José", "2"]]


def test_not_utf8_is_read_and_the_byte_line_and_flag_are_said(tmp_path):
    table = read_table(write(tmp_path, "name,n\nAnn,1\nZoë,2\n".encode("cp1252")))
    assert cells(table)[1] == ["Zoë", "2"]
    (notice,) = table.notices
    assert "cp1252" in notice.text
    assert "0xeb at offset 15, line 3" in notice.text
    assert "--encoding" in notice.remedy


def test_given_encoding_that_does_not_fit_is_an_error_with_the_place(tmp_path):
    path = write(tmp_path, "name,n\nAnn,1\nZoë,2\n".encode("cp1252"))
    message = refusal(path, encoding="utf-8")
    assert "byte 0xeb at offset 15, line 3" in message
    assert "--encoding" in message
    with pytest.raises(ConfigError, match="must name a text encoding"):
        read_table(path, encoding="utf-9")


def test_given_utf8_takes_a_byte_order_mark_off(tmp_path):
    table = read_table(write(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n"), encoding="utf-8")
    assert list(table.frame.columns) == ["a", "b"]


def test_other_formats_are_named_whatever_the_suffix(tmp_path):
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    plain_zip = io.BytesIO()
    with zipfile.ZipFile(plain_zip, "w") as archive:
        archive.writestr("t.csv", "a,b\n1,2\n")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "p.csv")
    kinds = {
        "an Excel workbook": write(tmp_path, book.getvalue(), "x.csv"),
        "a zip archive": write(tmp_path, plain_zip.getvalue(), "z.csv"),
        "a Parquet file": tmp_path / "p.csv",
        "a gzip archive": write(tmp_path, gzip.compress(b"a,b\n1,2\n"), "g.csv"),
        "a web page": write(tmp_path, "<!DOCTYPE html><html>", "h.csv"),
        "JSON": write(tmp_path, '[{"a": 1}]', "j.csv"),
    }
    for kind, path in kinds.items():
        message = refusal(path)
        assert kind in message
        assert "Remedy" in message


def test_nul_bytes_are_refused_with_the_line(tmp_path):
    assert "NUL at line 3" in refusal(write(tmp_path, b"a,b\n1,2\n3,\x004\n"))


def test_ragged_row_names_line_and_counts(tmp_path):
    message = refusal(write(tmp_path, 'a,b,c\n1,2,3\n"x\ny",5,6\n7,8\n9,10,11\n'))
    assert "line 5" in message  # the third row spans two lines
    assert "header: 3" in message
    assert "2 cells" in message


@pytest.mark.parametrize("content", ['a,b\n1,2\n3,"open\n5,6\n', 'a,b\n1,2\n3,"', 'a\n1\n"', 'a\n"x\n'])
def test_unclosed_quote_names_the_line_it_opens_in(tmp_path, content):
    line = content[: content.index('"')].count("\n") + 1
    assert f"starts at line {line} " in refusal(write(tmp_path, content))


def test_a_cell_of_ten_megabytes_is_refused_with_the_line(tmp_path):
    message = refusal(write(tmp_path, "a,b\n1,2\n3," + "x" * 10_000_000 + "\n"))
    assert "131,072 characters" in message
    assert "line 3" in message


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("a,b,a", "'a' at columns 1, 3"),
        ("a,,b, ", "2, 4 of 4"),
        ("Age,b,AGE", "'Age' and 'AGE' at columns 1, 3"),
    ],
    ids=["duplicate", "blank", "case"],
)
def test_unusable_names_are_errors_with_positions(tmp_path, header, places):
    row = ",".join("1" for _ in header.split(","))
    assert places in refusal(write(tmp_path, f"{header}\n{row}\n"))


def test_nameless_row_numbers_come_with_a_remedy(tmp_path):
    assert "index=False" in refusal(write(tmp_path, ",a\n0,1.5\n1,2.5\n"))


def test_header_of_numbers_is_questioned(tmp_path):
    (notice,) = read_table(write(tmp_path, "5.1,3.5\n4.9,3.0\n")).notices
    assert "header missing" in notice.text
    assert not read_table(write(tmp_path, "0,1\n4.9,3.0\n")).notices


def test_too_many_columns_are_refused_with_the_limit(tmp_path):
    names = ",".join(f"c{i}" for i in range(100_000))
    message = refusal(write(tmp_path, names + "\n" + "1," * 99_999 + "1\n"))
    assert f"{MAX_COLUMNS:,}" in message
    assert "100,000 columns" in message


def test_names_are_kept_as_they_are(tmp_path):
    names = [
        "<b>x</b>",
        'say "hi"',
        "two\nlines",
        "😀",
        "\u202eright to left",
        "=cmd()",
        "n" * 10_000,
        " blank ",
    ]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    table = read_table(write(tmp_path, header + "\n" + ",".join("1" for _ in names) + "\n"))
    assert list(table.frame.columns) == names


def test_gzip_is_read_and_a_cut_archive_refused(tmp_path):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    assert read_table(write(tmp_path, packed, "t.csv.gz")).frame.shape == (5000, 2)
    assert "whole" in refusal(write(tmp_path, packed[:40], "cut.csv.gz"))
    assert "whole" in refusal(write(tmp_path, b"a,b\n1,2\n", "no.csv.gz"))


def test_equal_files_have_equal_fingerprints(tmp_path):
    first = read_table(write(tmp_path, "a,b\n1,2\n", "1.csv"))
    second = read_table(write(tmp_path, "a,b\n1,2\n", "2.csv"))
    other = read_table(write(tmp_path, "a,b\n1,3\n", "3.csv"))
    assert first.fingerprint == second.fingerprint != other.fingerprint
    assert first.origin == str(tmp_path / "1.csv")


def test_rows_beyond_a_chunk_keep_their_order(tmp_path):
    rows = 300_000
    table = read_table(write(tmp_path, "a,b\n" + "".join(f"{i},x\n" for i in range(rows))))
    assert table.frame["a"].iloc[-1] == str(rows - 1)
    assert table.frame["a"].is_unique


def test_a_quote_left_open_is_not_taken_for_text(tmp_path):
    assert "starts at line 3 " in refusal(write(tmp_path, 'a,b,c\n1,2,3\n4,"open,5\n6,7,8\n'))


def test_single_quotes_are_recognized_where_they_alone_make_the_rows_equal(tmp_path):
    table = read_table(write(tmp_path, "a,b\n'x, y',1\n'z, w',2\n"))
    assert cells(table) == [["x, y", "1"], ["z, w", "2"]]
