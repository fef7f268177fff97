"""The figure of a network, drawn from what an architecture really writes."""

from composable.design import Part, Task
from composable.design.tasks import regressor
from composable.report.sections.network import network_figure
from composable.zoo.mlp import mlp


def test_a_task_is_its_part_and_says_what_it_reads_where_that_is_unusual():
    tasks = (Task(Part(regressor), "price"), Task(Part(regressor), "doors", reads="price/embedding"))
    figure = network_figure(mlp(tasks=tasks).to_config(), inputs="3 numbers", outputs=["price", "doors"])
    assert figure is not None
    drawn = str(figure.svg)
    assert drawn.count("tasks.regressor") == 2
    assert drawn.count("reads") == 1
    assert "price/embedding" in drawn
