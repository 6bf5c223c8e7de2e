"""Names of strangers in what leaves the page: script, notebook, card, service, event files, report. Text stays text."""

import ast
import csv
import io
import json

import pytest

from core.errors import LayerwiseError
from core.experiment.experiment import Experiment, Lane
from core.export.card import CardFacts, model_card
from core.export.description import description, description_bytes
from core.export.notebook import notebook
from core.export.script import training_script
from core.export.tensorboard_events import folder_names
from core.history import History
from core.models.code import model_source
from core.optim.optimizers import Adam
from dashboard.widgets.table_file import csv_text
from tests.core.data.own_files import csv_bytes, previewed
from tests.core.data.test_data_own_tables import table_choice
from tests.core.samples import linear, spiral, stack
from tests.faults.hostile import NAMES

ODD = {
    **NAMES,
    "keyword": "class",
    "dotted": "os.system",
    "dunder": "__class__",
    "quotes": "'\"'''\"\"\"",
    "backslash": "a\\",
    "braces": "{__import__('os')}",
    "cell": "# %% [markdown]",
    "comment": "*/ --> ]]> #",
}
ON_ONE_LINE = {
    name: " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()) for name, text in ODD.items()
}


def own(name: str) -> Experiment:
    """An experiment on a table whose file, columns and classes have this name, with a lane that has it too."""
    clean = name.replace('"', "'")[:30] or "x"
    rows = [(f"{clean} 1", f"{clean} 2", f"{clean} y"), *[(i, i % 7, f"{clean}{i % 2}") for i in range(40)]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    found = previewed(text.getvalue().encode(), f"{clean.replace('/', '-').replace(chr(92), '-')}.csv")
    data = table_choice(found, found.columns[2], "classification")
    lane = Lane(optimizer=Adam(), name=name[:40])
    return spiral(data=data, model=stack(linear(4), "ReLU", linear(2)), lanes=(lane,), batch_size=8, steps=3)


def without_texts(source: str) -> str:
    """What a program does, whatever stands in its texts and comments."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def cells_of(source: str) -> list[str]:
    """What the code cells of the notebook do; empty for a cell of words."""
    cells = json.loads(notebook(source))["cells"]
    return [without_texts("".join(cell["source"])) if cell["cell_type"] == "code" else "" for cell in cells]


@pytest.fixture(scope="module")
def plain_program(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(tmp_path_factory.mktemp("plain")))
        experiment = own("plain")
        source = training_script(experiment, 0).text
        return without_texts(source), model_source(experiment.model, (2,)), cells_of(source)


@pytest.mark.fault(21)
@pytest.mark.fault(22)
@pytest.mark.fault(23)
@pytest.mark.parametrize("name", ON_ONE_LINE.values(), ids=ON_ONE_LINE)
def test_names_change_no_program(home, plain_program, name):
    experiment = own(name)
    source = training_script(experiment, 0).text
    assert without_texts(source) == plain_program[0]
    assert model_source(experiment.model, (2,)) == plain_program[1]
    assert cells_of(source) == plain_program[2]


@pytest.mark.fault(116)
@pytest.mark.parametrize("name", ON_ONE_LINE.values(), ids=ON_ONE_LINE)
def test_a_card_shows_names_as_their_letters(home, name):
    markdown_it = pytest.importorskip("markdown_it")
    experiment = own(name)
    card = model_card(experiment, History(), CardFacts(name=name, run="a" * 32, step=3))
    tokens = [
        inner
        for token in markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").parse(card)
        for inner in (token, *(token.children or ()))
    ]
    assert not [token.content for token in tokens if token.type in ("html_inline", "html_block", "image", "link_open")]
    text = "".join(token.content for token in tokens if token.type == "text")
    assert name.replace("\\", "").replace("_", "")[:20] in text.replace("\\", "").replace("_", "")


@pytest.mark.fault(116)
@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_folders_of_event_files_lead_nowhere(name):
    for folder in folder_names([name, name * 2000, "../" + name]):
        assert folder.isascii()
        assert not set(folder) & set('/\\:*?"<>|\0\n')
        assert len(folder) < 70
        assert folder.strip(".") == folder


@pytest.mark.fault(116)
@pytest.mark.parametrize("name", ON_ONE_LINE.values(), ids=ON_ONE_LINE)
def test_a_service_tells_names_as_json_texts(home, name):
    experiment = own(name)
    about = json.loads(description_bytes(description(experiment.data, experiment.data.splits(0), "logit")))
    assert about["classes"] == list(experiment.data.class_names)


@pytest.mark.fault(29)
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_and_no_header_of_a_file_begins_a_formula(start):
    text = csv_text({f"{start}cmd|'/c calc'!A1": [f"{start}1+1", "plain"], "n": [-1.5, 2]})
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][0].startswith("'" + start)
    assert rows[1] == [f"'{start}1+1", "-1.5"]


@pytest.mark.fault(114)
def test_a_name_of_ten_thousand_signs_is_refused_where_it_is_typed_and_cut_where_it_comes_in_a_file(home):
    with pytest.raises(LayerwiseError, match="at most 40 characters"):
        spiral().lanes[0].but(name="x" * 10_000)
    found = previewed(csv_bytes([("a" * 10_000, "b", "c"), *[(i, i % 5, i % 2) for i in range(30)]]), "x" * 10_000 + ".csv")
    assert max(map(len, (*found.columns, found.name))) <= 60
