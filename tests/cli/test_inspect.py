"""`inspect`: what was found, and a schema that is never taken away from its editor."""

import json

import pytest


@pytest.fixture
def cars(tmp_path):
    path = tmp_path / "my cars.csv"
    path.write_text("price\n1\n")
    return path


def test_it_shows_columns_problem_and_notices_and_writes_the_schema(command, auto, cars):
    done = command("inspect", cars, "--target", "price")
    assert done.code == 0, done.err
    assert "201 rows, 1 columns." in done.out
    assert "Problem: price (regression); models are selected by rmse." in done.out
    assert "Note: price has whole numbers (--problem multiclass)" in done.err
    schema = json.loads((cars.parent / "my cars.schema.json").read_text())
    assert schema["format"] == "composable.schema/2"


def test_the_flags_reach_the_inspection(command, auto, cars):
    command(
        "inspect",
        cars,
        "--target",
        "price",
        "--drop",
        "id",
        "--delimiter",
        "\\t",
        "--date-order",
        "day-first",
    )
    assert auto.inspected == {
        "target": ("price",), "problem": None, "drop": ("id",), "encoding": None, "delimiter": "\\t",
        "decimal": None, "date_order": "day-first",
    }  # fmt: skip


def test_json_stands_alone(command, auto, cars):
    answer = json.loads(command("inspect", cars, "--target", "price", "--json").out)
    assert answer["problem"]["metric"] == "rmse"
    assert answer["schema"]["columns"][0]["name"] == "price"


def test_an_edited_schema_stays_unless_forced(command, auto, cars):
    schema = cars.parent / "my cars.schema.json"
    schema.write_text("edited")
    kept = command("inspect", cars)
    assert (kept.code, schema.read_text()) == (0, "edited")
    assert "--force" in kept.err
    command("inspect", cars, "--force")
    assert json.loads(schema.read_text())["columns"]


def test_the_same_schema_again_is_no_conflict(command, auto, cars):
    command("inspect", cars)
    assert "Kept" not in command("inspect", cars).err


def test_the_table_itself_is_never_replaced(command, auto, cars):
    assert command("inspect", cars, "--out", cars, "--force").code == 2
    assert cars.read_text() == "price\n1\n"


def test_a_folder_that_can_not_be_written_costs_no_answer(command, auto, tmp_path):
    (tmp_path / "file").write_text("")
    done = command("inspect", tmp_path / "file" / "cars.csv")
    assert done.code == 0
    assert "--out FILE" in done.err


def test_control_characters_in_names_never_reach_the_terminal(command, auto, cars):
    done = command("inspect", cars)
    assert "\x1b" not in done.out
    assert "price\\x1b[31m" in done.out
