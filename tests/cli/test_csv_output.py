"""H4: what a spreadsheet would run is quoted; numbers stay numbers."""

import io

import pandas as pd
import pytest

from composable.cli.predict import check_output, csv_text, safe_cell
from composable.core.errors import ConfigError


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\tx", "\rx", "\n=1", "-1+1"])
def test_formulas_get_an_apostrophe(cell):
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["a=b", "", "plain", "-1", "+2.5", "-1e-3", "-.5", -1.0, None, True])
def test_numbers_and_plain_texts_are_untouched(cell):
    assert safe_cell(cell) is cell


def test_a_table_is_safe_in_cells_and_header_and_raw_by_wish():
    frame = pd.DataFrame({"=x": ["=1", "b"], "p": [-0.5, 0.25], "c": pd.Categorical(["@a", "b"])})
    assert csv_text(frame, raw=False) == "'=x,p,c\n'=1,-0.5,'@a\nb,0.25,b\n"
    assert csv_text(frame, raw=True) == "=x,p,c\n=1,-0.5,@a\nb,0.25,b\n"


def test_numbers_survive_the_way_through_csv():
    frame = pd.DataFrame({"prediction": [-1 / 3, 1e-300, 12345.678901234567]})
    assert pd.read_csv(io.StringIO(csv_text(frame, raw=False))).equals(frame)


def test_the_input_is_never_replaced(tmp_path):
    data = tmp_path / "new.csv"
    data.write_text("a\n1\n")
    (tmp_path / "link.csv").symlink_to(data)
    for out in (data, tmp_path / "link.csv", tmp_path / "." / "new.csv"):
        with pytest.raises(ConfigError, match="is the input"):
            check_output(out, str(data))


@pytest.mark.parametrize("name", ["out.xlsx", "out", "null"])
def test_only_csv_is_written(tmp_path, name):
    with pytest.raises(ConfigError, match=r"--out .*\.csv"):
        check_output(tmp_path / name, "new.csv")
